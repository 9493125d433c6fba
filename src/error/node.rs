//! Errors that are Node's own, with Node's words.

use super::codes::errno_of;
use super::quoted::quoted;
use super::{Error, Inner};

macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
        $($(#[$doc])* pub(crate) fn $name() -> Error { Error::new($code, $message) })*
    };
}

fixed! {
    write_after_end = "ERR_STREAM_WRITE_AFTER_END", "write after end";
    already_finished = "ERR_STREAM_ALREADY_FINISHED", "Cannot call end after a stream was finished";
    /// A write after the peer's end, when ours followed it without being asked.
    ended_by_peer = "EPIPE", "This socket has been ended by the other party";
    socket_closed = "ERR_SOCKET_CLOSED", "Socket is closed";
    closed_before_connection =
        "ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "Socket closed before the connection was established";
    connection_timeout = "ERR_SOCKET_CONNECTION_TIMEOUT", "Socket connection timeout";
    unshift_after_end = "ERR_STREAM_UNSHIFT_AFTER_END_EVENT", "stream.unshift() after end event";
    already_listening =
        "ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once without closing.";
    handle_adopted = "ERR_SOCKET_HANDLE_ADOPTED",
        "The bound socket has already been adopted by a server or socket";
    /// What an abort is about, unless the caller has said so.
    abort_reason = "ABORT_ERR", "This operation was aborted";
    abort_timeout = "ABORT_TIMEOUT", "The operation was aborted due to timeout";
    not_running = "ERR_SERVER_NOT_RUNNING", "Server is not running.";
    premature_close = "ERR_STREAM_PREMATURE_CLOSE", "Premature close";
    unable_to_pipe =
        "ERR_STREAM_UNABLE_TO_PIPE", "Cannot pipe to a closed or destroyed stream";
    missing_streams = "ERR_MISSING_ARGS", "The \"streams\" argument must be specified";
    invalid_handle_type = "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent";
}

/// A write that was under way when its socket was destroyed.
pub(crate) fn write_cancelled() -> Error {
    Inner {
        message: "write ECANCELED".to_owned(),
        errno: errno_of("ECANCELED"),
        syscall: Some("write"),
        ..Inner::of("ECANCELED")
    }
    .into()
}

pub(crate) fn destroyed(call: &'static str) -> Error {
    Inner {
        message: format!("Cannot call {call} after a stream was destroyed"),
        ..Inner::of("ERR_STREAM_DESTROYED")
    }
    .into()
}

pub(crate) fn bad_port(name: &str, received: &str) -> Error {
    Error::new(
        "ERR_SOCKET_BAD_PORT",
        format!(
            "{name} should be >= 0 and < 65536. Received type string ({}).",
            quoted(received)
        ),
    )
}

/// `problem` begins with a verb: `must be …`.
pub(crate) fn invalid_arg(name: &str, problem: &str) -> Error {
    let what = if name.contains('.') {
        "property"
    } else {
        "argument"
    };
    Inner {
        message: format!("The {what} '{name}' {problem}"),
        ..Inner::of("ERR_INVALID_ARG_VALUE")
    }
    .into()
}

/// As `invalid_arg`, and what was received instead.
pub(crate) fn invalid_text(name: &str, problem: &str, received: &str) -> Error {
    invalid_arg(name, &format!("{problem}. Received {}", quoted(received)))
}

pub(crate) fn ip_blocked(address: &str) -> Error {
    Inner {
        message: format!("IP({address}) is blocked by net.BlockList"),
        ..Inner::of("ERR_IP_BLOCKED")
    }
    .into()
}

/// A descriptor that the poll does not take: epoll says so of files, which are always ready.
pub(crate) fn not_watchable(error: &std::io::Error) -> Error {
    let code = super::codes::name(error);
    let message = format!(
        "watch {code}: this kind of descriptor cannot be polled, as a file cannot (queue_work reads those)"
    );
    Inner {
        message,
        ..Inner::os("watch", code, error)
    }
    .into()
}

/// Node's `process.on` throws it.
#[cfg(feature = "signals")]
pub(crate) fn bad_signal(signal: i32) -> Error {
    Inner {
        message: format!("signal EINVAL: signal {signal} is unknown, or cannot be handled"),
        syscall: Some("signal"),
        ..Inner::of("EINVAL")
    }
    .into()
}

/// A descriptor that is no stream socket.
pub(crate) fn invalid_fd_type(kind: &str) -> Error {
    Error::new(
        "ERR_INVALID_FD_TYPE",
        format!("Unsupported fd type: {kind}"),
    )
}

/// Not Node's: the loop of a thread that has ended is asked for something.
pub(crate) fn loop_closed() -> Error {
    Error::new("ERR_LOOP_CLOSED", "The thread of this loop has ended")
}

pub(crate) fn channel_closed() -> Error {
    Error::new(
        "ERR_CHANNEL_CLOSED",
        "The listener of this channel has gone",
    )
}

pub(crate) fn channel_full() -> Error {
    Error::new(
        "ERR_CHANNEL_FULL",
        "The channel is full, and only this thread could make room",
    )
}

/// Not Node's: a socket cannot be taken out of its loop without loss.
pub(crate) fn not_idle(reason: String) -> Error {
    Error::new("ERR_SOCKET_NOT_IDLE", reason)
}

/// Node's `AbortError`.
pub(crate) fn aborted(reason: Error) -> Error {
    Error::new("ABORT_ERR", "The operation was aborted").with_cause(reason)
}

pub(crate) fn invalid_ip(address: &str) -> Error {
    Inner {
        message: format!("Invalid IP address: {address}"),
        ..Inner::of("ERR_INVALID_IP_ADDRESS")
    }
    .into()
}

/// Not Node's: more was queued on a socket than its `max_write_queue` allows.
pub(crate) fn write_queue_full(limit: usize, queued: usize) -> Error {
    Inner {
        message: format!(
            "{queued} bytes are queued for a peer that does not read them (max_write_queue is {limit})"
        ),
        ..Inner::of("ERR_SOCKET_WRITE_QUEUE_FULL")
    }
    .into()
}

/// Not Node's: `run` was called by a listener.
pub(crate) fn already_running() -> Error {
    Error::new(
        "ERR_LOOP_ALREADY_RUNNING",
        "The event loop of this thread is already running",
    )
}
