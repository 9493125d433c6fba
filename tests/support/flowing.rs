//! Readers through which a stream flows, for tests that count what they allocate: a test that takes this in has
//! the module `counting`, too.

use soquete::framing::{Flow, Format, FrameReader};

use super::counting;

/// Asserts that a stream has so many items however it is cut, and that they take no memory once the reader has its
/// buffers.
pub fn without_allocating<F: Format>(mut reader: FrameReader<F>, stream: &[u8], items: usize) {
    let mut flow = |chunk: usize| {
        let mut count = 0;
        for chunk in stream.chunks(chunk) {
            let read = reader.push(chunk, |_| {
                count += 1;
                Flow::Continue
            });
            read.unwrap();
        }
        count
    };
    assert_eq!(flow(37), items);
    let before = counting::so_far();
    let whole = stream.len();
    assert_eq!((flow(37), flow(1), flow(whole)), (items, items, items));
    assert_eq!(counting::since(before).times, 0);
}
