//! The bytes of both directions of a scripted connection. They follow a pattern, so that one that is lost, doubled
//! or out of place is noticed where it happens, and nothing has to be stored.

/// The longest write of a script.
pub(super) const LONGEST: usize = 64 * 1024;

/// A prime, so that no boundary of a buffer hides a shift of the bytes.
const PERIOD: usize = 251;

static OUTGOING: [u8; 4 * LONGEST] = {
    let mut bytes = [0; 4 * LONGEST];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = (index % PERIOD) as u8;
        index += 1;
    }
    bytes
};

/// What is written at this position of the stream to the peer.
pub(super) fn outgoing(position: u64, len: usize) -> &'static [u8] {
    &OUTGOING[(position % PERIOD as u64) as usize..][..len]
}

/// What the peer sends at this position. ASCII, which is the same as text and as bytes.
pub(super) fn incoming(position: u64, len: usize) -> Vec<u8> {
    (position..)
        .take(len)
        .map(|at| b'!' + (at % 89) as u8)
        .collect()
}
