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

/// Redis's complaint about an argument that does not begin with a dollar sign, for each byte that it may begin with
/// instead. Errors have texts that live for ever, so all of them are made in advance.
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
        // A byte above 127 is shown as the character of that number, which is two bytes of UTF-8.
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

/// The length of the texts whose byte is shown as two.
const EXPECTED_LENGTH: usize = "expected '$', got '\u{ff}'".len();

pub(super) fn expected_bulk(got: u8) -> &'static str {
    let text = &EXPECTED[usize::from(got)];
    // One byte is shown as one byte or as two, and the text of one is a byte shorter.
    let length = EXPECTED_LENGTH - usize::from(got < 128);
    std::str::from_utf8(&text[..length]).unwrap_or("expected '$'")
}
