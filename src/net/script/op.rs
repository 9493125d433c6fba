//! What a script is made of.

use std::io::ErrorKind;

/// What becomes of one call of `write`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// At most so many bytes are taken.
    Short(usize),
    WouldBlock,
    Interrupted,
    Fail(ErrorKind),
}

/// One step of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// A call of the user's, in the callback that runs at the moment.
    User(UserOp),
    /// The next time that this happens, its listener makes that call.
    React(Moment, UserOp),
    /// Something happens in the kernel; the next poll tells of it.
    Kernel(KernelOp),
    /// The callback returns: writes go out and ticks are run.
    Settle,
    /// The callback returns, and the loop goes round once.
    Turn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserOp {
    Connect,
    /// `len` bytes, copied; with a callback or without.
    Write(usize, Callback),
    /// The same from a buffer that is handed over.
    WriteOwned(usize, Callback),
    End(Callback),
    EndWith(usize, Callback),
    EndSoon,
    Cork,
    Uncork,
    /// As `Write`, between a cork and its uncork.
    WriteCorked(usize, Callback),
    /// Asks how much is queued, which flushes.
    WritableLength,
    Destroy,
    DestroyWith,
    Reset,
    Pause,
    Resume,
    Read,
    ReadExactly(usize),
    Unshift(usize),
    DecodeUtf8,
    ListenData,
    ListenReadable,
    UnlistenReadable,
    /// Of `Prefinish` and `Finish`, which most programs do not listen to.
    UnlistenFinish,
    AllowHalfOpen(bool),
    /// As a framing does that has not delivered all.
    Hold(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callback {
    With,
    Without,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KernelOp {
    /// The connection that is being made is up.
    Connected,
    Refused,
    Arrive(usize),
    PeerEnds,
    PeerResets,
    /// The send buffer has so much room.
    Room(usize),
    NextWrite(Fault),
    NextShutdown(ErrorKind),
    /// The next poll reports readiness of both kinds, whether there is any or not.
    Announce,
}

/// When a listener or callback is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Connect,
    Data,
    Readable,
    End,
    Prefinish,
    Finish,
    Drain,
    Pause,
    Resume,
    Error,
    Close,
    WriteCallback,
    EndCallback,
}

impl Moment {
    pub(super) const ALL: [Moment; 13] = [
        Moment::Connect,
        Moment::Data,
        Moment::Readable,
        Moment::End,
        Moment::Prefinish,
        Moment::Finish,
        Moment::Drain,
        Moment::Pause,
        Moment::Resume,
        Moment::Error,
        Moment::Close,
        Moment::WriteCallback,
        Moment::EndCallback,
    ];
}
