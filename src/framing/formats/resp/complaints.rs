//! What is wrong with a request, in Redis's words.

/// The complaints about a number: it does not end, or it is not one.
pub(super) struct Complaints {
    pub(super) too_big: &'static str,
    pub(super) invalid: &'static str,
}

pub(super) const OF_ARRAY: Complaints = Complaints {
    too_big: "too big mbulk count string",
    invalid: "invalid multibulk length",
};
pub(super) const OF_BULK: Complaints = Complaints {
    too_big: "too big bulk count string",
    invalid: "invalid bulk length",
};

/// What Redis says of an argument that does not begin as one: the same for each byte but for that byte.
static EXPECTED: [[u8; EXPECTED_LENGTH]; 256] = {
    let mut all = [[0; EXPECTED_LENGTH]; 256];
    let mut byte = 0;
    while byte < 256 {
        let text = b"expected '$', got '";
        let mut at = 0;
        while at < text.len() {
            all[byte][at] = text[at];
            at += 1;
        }
        // Bytes that are no ASCII stand for the chars of the same numbers.
        if byte < 128 {
            all[byte][at] = byte as u8;
        } else {
            all[byte][at] = 0xc0 | (byte >> 6) as u8;
            at += 1;
            all[byte][at] = 0x80 | (byte & 0x3f) as u8;
        }
        all[byte][at + 1] = b'\'';
        byte += 1;
    }
    all
};

const EXPECTED_LENGTH: usize = "expected '$', got '\u{ff}'".len();

pub(super) fn expected_bulk(got: u8) -> &'static str {
    let text = &EXPECTED[usize::from(got)];
    let length = EXPECTED_LENGTH - usize::from(got < 128);
    std::str::from_utf8(&text[..length]).unwrap_or("expected '$'")
}
