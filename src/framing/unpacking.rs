//! Having a format unpack payload, at once or in pieces.

use super::rules::Rules;
use super::state::{Delivery, Place};
use super::{Format, FrameReader, Malformed, Output, Unpacked};

/// Why payload cannot be unpacked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wrong {
    TooLong,
    Malformed(Malformed),
}

/// Unpacks a frame that is all there in one slice, behind what `out` has.
#[inline(always)]
pub(super) fn whole<F: Format>(
    format: &mut F,
    raw: &[u8],
    out: &mut Vec<u8>,
    rules: &Rules,
) -> Result<Unpacked, Wrong> {
    let (unpacked, fits) = if format.unpacks_in_pieces() {
        let mut output = Output::new(out, rules.limit());
        let unpacked = format.unpack_piece(raw, true, &mut output);
        let fits = !output.overflowed();
        (unpacked, fits)
    } else {
        let unpacked = format.unpack(raw, out);
        let fits = out.is_empty() || out.len() <= rules.limit();
        (unpacked, fits)
    };
    match unpacked {
        // What is plain is within the limit, and known to be so where frames are read the short way.
        Ok(Unpacked::AsIs) if raw.len() as u64 <= rules.plain || raw.len() <= rules.limit() => {
            Ok(Unpacked::AsIs)
        }
        Ok(Unpacked::Out) if fits => Ok(Unpacked::Out),
        Err(wrong) if fits => Err(Wrong::Malformed(wrong)),
        _ => Err(Wrong::TooLong),
    }
}

impl<F: Format> FrameReader<F> {
    /// Unpacks a piece of the frame at hand, as far as there is room for it, and says where that is and what is
    /// wrong with the rest. Of a frame that is put together it goes behind what there is.
    pub(super) fn unpack_some<'c>(
        &mut self,
        place: &Place<'c>,
        last: bool,
    ) -> (Place<'c>, Option<Wrong>) {
        let open = &mut *self.open;
        let from = open.out.len();
        let room = self.rules.limit().saturating_sub(open.made);
        let raw = place.bytes(&open.leftover, &[]);
        let mut output = Output::new(&mut open.out, room);
        let unpacked = self.format.unpack_piece(raw, last, &mut output);
        let mut overflowed = output.overflowed();
        let piece = match unpacked {
            Ok(Unpacked::AsIs) => {
                let fitting = raw.len().min(room);
                overflowed |= fitting < raw.len();
                if matches!(open.delivery, Delivery::Gather) {
                    output.extend_from_slice(&raw[..fitting]);
                    Place::Out(from..open.out.len())
                } else {
                    place.within(0..fitting)
                }
            }
            Ok(Unpacked::Out) | Err(_) => Place::Out(from..open.out.len()),
        };
        open.made += match &piece {
            Place::Chunk(bytes) => bytes.len(),
            Place::Leftover(range) | Place::Out(range) => range.len(),
        };
        let wrong = match unpacked {
            _ if overflowed => Some(Wrong::TooLong),
            Err(wrong) => Some(Wrong::Malformed(wrong)),
            Ok(_) => None,
        };
        (piece, wrong)
    }
}
