//! What a listener of `Data` does not want yet: it goes back, and comes again.

use super::{Amount, Emitting};
use crate::machine::Duplex;
use crate::machine::host::Host;

impl Duplex {
    /// Goes on with what the listeners of `chunk` have put back of it, for as long as they do that and
    /// there are any.
    pub(super) fn emit_what_was_put_back(&self, host: &impl Host, chunk: &[u8]) -> usize {
        let half = &self.read;
        loop {
            let put_back = half
                .buffer
                .if_some(|buffer| std::mem::take(&mut buffer.put_back))
                .unwrap_or(0);
            if put_back == 0 || self.is_destroyed() {
                return 0;
            }
            if !half.is_flowing() || !host.has_data_listeners() {
                return put_back;
            }
            let from = chunk.len().saturating_sub(put_back);
            self.emit_chunk(host, &chunk[from..]);
        }
    }

    /// Throws away bytes that were put back.
    pub(crate) fn throw_away(&self, put_back: usize) {
        let _gone = self
            .read
            .take(Amount::Exactly(put_back.min(self.read.length.get())));
    }

    /// A listener of `Data` gives back the last bytes of the chunk that it was handed: they are emitted
    /// again, once all listeners have returned, or kept. They are not copied where that can be helped,
    /// however often they are given back.
    pub(crate) fn put_back(&self, host: &impl Host, rest: &[u8]) {
        let half = &self.read;
        let is_lent = half.emitting.get() != Emitting::No
            && host.lent_to().get() == rest.as_ptr_range().end as usize;
        let behind_others = || half.buffer.if_some(|buffer| !buffer.to_follow.is_empty());
        if rest.is_empty() {
            return;
        }
        if !is_lent || behind_others() == Some(true) {
            self.unshift(host, rest);
            return;
        }
        half.emitting.set(Emitting::MoreToFollow);
        half.with_buffer(|buffer| {
            debug_assert_eq!(buffer.put_back, 0, "given back twice");
            buffer.put_back = rest.len();
        });
    }
}
