//! Where a socket is, and what can be done with it there.

/// The default high-water mark of either half: the bytes buffered for a reader or a peer before backpressure sets in.
pub(crate) const DEFAULT_HIGH_WATER_MARK: usize = 64 * 1024;

/// Where a socket is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// There has been no descriptor yet.
    Fresh,
    /// The name is being looked up, or a connection attempted.
    Connecting,
    Open,
    /// The descriptor, if there was one, is closed. `Close` comes in the closing phase; on a tick if the
    /// socket was `Fresh`.
    Destroyed,
    /// `Close` was emitted.
    Closed,
}

/// What can be done with a socket. Node's `readyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadyState {
    /// Connecting.
    Opening,
    /// Readable and writable. Also a socket that has not been connected.
    Open,
    /// This end has ended.
    ReadOnly,
    /// The peer has ended.
    WriteOnly,
    /// Both have, or the socket was destroyed.
    Closed,
}
