//! What is written is read back.

use super::super::{
    ByteOrder, Cobs, Delimiters, Encode, FixedLength, Flow, Format, FrameError, FrameReader,
    FrameWriter, Json, LengthPrefix, Lines, Netstring, RecordMark, VarintPrefix,
};
use super::Trial;
use super::check::{OnPanic, mix};

/// Writes payloads in a format, and reads them back.
pub fn fuzz_round_trip(data: &[u8]) {
    let Some((&[kind, variant], data)) = data.split_first_chunk() else {
        return;
    };
    match kind % 9 {
        0 => {
            let order = if variant & 8 == 0 {
                ByteOrder::Big
            } else {
                ByteOrder::Little
            };
            let Ok(format) = LengthPrefix::new(1 + usize::from(variant & 7), order) else {
                return;
            };
            let format = format.adjustment(i64::from(variant >> 5) - 4);
            Trial::new(if variant & 16 == 0 {
                format
            } else {
                format.inclusive()
            })
            .writes(data);
        }
        1 => Trial::new(VarintPrefix::new().canonical()).writes(data),
        2 => {
            let format = match variant % 3 {
                0 => Lines::new(),
                1 => Lines::lf(),
                _ => Lines::crlf(),
            };
            Trial::new(format).writes(data);
        }
        3 => {
            let sets: [&[&[u8]]; 4] = [
                &[b"\r\n"],
                &[b"a", b"ab", b"bab"],
                &[b"aab", b"c"],
                &[b"\n", b"x\ny"],
            ];
            let Ok(format) = Delimiters::new(sets[usize::from(variant & 3)]) else {
                return;
            };
            Trial::new(format).writes(data);
        }
        4 => {
            let Ok(format) = FixedLength::new(usize::from(variant).max(1)) else {
                return;
            };
            Trial::new(format).writes(data);
        }
        5 => Trial::new(Netstring::new()).writes(data),
        6 => Trial::new(Cobs::new()).writes(data),
        7 => Trial::new(Json::new()).writes(data),
        _ => Trial::new(RecordMark).writes(data),
    }
}

/// Cuts `data` into payloads, with lengths that `lens` makes up.
fn payloads(data: &[u8], lens: u8) -> Vec<&[u8]> {
    let mut payloads = Vec::new();
    let mut rest = data;
    let mut n = u64::from(lens);
    while !rest.is_empty() && payloads.len() < 50 {
        n = mix(n);
        let (payload, after) = rest.split_at(rest.len().min(n as usize % (1 + n as usize % 300)));
        payloads.push(payload);
        rest = after;
    }
    payloads
}

impl<F: Format + Encode + Clone> Trial<F> {
    /// Writes payloads with a limit, and reads them back; what is too long for the limit must be
    /// refused on both sides. A frame must end with its own last byte, not with the end of the input.
    pub fn writes(&self, data: &[u8]) {
        if let Some((&[limit, lens], data)) = data.split_first_chunk() {
            let case = Case {
                limit: limit.into(),
                payloads: payloads(data, lens),
                seed: lens.into(),
            };
            let _on_panic = OnPanic("written and read back", &limit, data);
            case.run(&self.format);
        }
    }
}

struct Case<'a> {
    limit: usize,
    payloads: Vec<&'a [u8]>,
    seed: u64,
}

impl Case<'_> {
    fn run<F: Format + Encode + Clone>(&self, format: &F) {
        // As narrow as the format is, so that the longest it can say is reached.
        let limit = self
            .limit
            .min(usize::try_from(format.max_payload()).unwrap_or(usize::MAX));
        let writer = match FrameWriter::new(format.clone(), limit) {
            Ok(writer) => writer,
            Err(error) => panic!("{error}"),
        };
        let mut stream = Vec::new();
        let mut written = Vec::new();
        for payload in &self.payloads {
            let before = stream.len();
            match writer.encode(payload, &mut stream) {
                Ok(()) => written.push(payload.to_vec()),
                Err(_) => assert_eq!(stream.len(), before, "an error appends nothing"),
            }
        }
        assert_eq!(self.read_back(format, limit, &stream), Ok(written));
        self.too_long(format, limit);
    }

    /// A payload that is longer than the limit is refused by the writer, and by the reader.
    fn too_long<F: Format + Encode + Clone>(&self, format: &F, limit: usize) {
        for payload in self.payloads.iter().filter(|payload| payload.len() > limit) {
            let mut stream = Vec::new();
            let writer = FrameWriter::new(format.clone(), limit);
            let refused = writer.and_then(|writer| writer.encode(payload, &mut stream));
            assert!(matches!(refused, Err(FrameError::Unrepresentable { .. })));
            if format.clone().encode(payload, &mut stream).is_ok() {
                let refused = self.read_back(format, limit, &stream);
                assert!(
                    matches!(refused, Err(FrameError::TooLong { .. })),
                    "{refused:?}"
                );
            }
        }
    }

    fn read_back<F: Format + Clone>(
        &self,
        format: &F,
        limit: usize,
        stream: &[u8],
    ) -> Result<Vec<Vec<u8>>, FrameError> {
        let mut reader = FrameReader::new(format.clone(), limit);
        let mut frames = Vec::new();
        let mut rest = stream;
        let mut n = self.seed;
        while !rest.is_empty() {
            n = mix(n);
            let (chunk, after) = rest.split_at(rest.len().min(1 + n as usize % 100));
            rest = after;
            reader.push(chunk, |item| {
                frames.extend(item.frame().map(<[u8]>::to_vec));
                Flow::Continue
            })?;
        }
        reader.finish(|item| panic!("{item:?} came only with the end of the input"))?;
        Ok(frames)
    }
}
