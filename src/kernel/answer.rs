//! What follows from an error of a system call: one table for all of them.
//!
//! | call | error | here | libuv, whose poll is level-triggered |
//! |---|---|---|---|
//! | accept | EAGAIN | wait for an event | the same |
//! | | EINTR | try again | the same |
//! | | ECONNABORTED, EPROTO, ECONNRESET, ETIMEDOUT, ENETDOWN, ENETUNREACH, ENONET, EHOSTDOWN, EHOSTUNREACH, ENOPROTOOPT, EOPNOTSUPP | this connection is gone: the next one | the next poll |
//! | | EMFILE, ENFILE | turn everybody away by a descriptor kept in reserve | the same |
//! | | EBADF, EFAULT, EINVAL, ENOTSOCK | it is no listening socket any more: the server's error | the next poll, for ever |
//! | | EPERM, EACCES, ENOBUFS, ENOMEM, any other | those who wait stay in the backlog: try again after a pause | the next poll, at once |
//! | connect | EINPROGRESS, EINTR | wait for an event | the same; calls again after EINTR |
//! | | ECONNREFUSED | the attempt fails, later | the same |
//! | | any other | the attempt fails | the same |
//! | getpeername, to learn whether a connection is up | ENOTCONN | not yet: wait for an event | never asks |
//! | | any other | it is up, the address stays unknown | |
//! | read | EAGAIN | wait for an event | the same |
//! | | EINTR | try again | the same |
//! | | any other | the socket fails | the same |
//! | write | EAGAIN | wait for an event | the same |
//! | | EINTR | try again | the same |
//! | | ENOBUFS | no event says when there is memory: try again after a pause | the next poll, at once |
//! | | ENOMEM | as ENOBUFS | the socket fails |
//! | | any other | the socket fails | the same |
//! | shutdown | ENOTCONN | the peer is gone: as good as done | the request fails, which Node ignores |
//! | | any other | the socket fails | the request fails, and so does the socket |
//! | poll | EINTR | nothing has happened: as good as done | tries again |
//! | | any other | the run fails | aborts the process |
//!
//! That EAGAIN of a write is followed by an event is Linux's promise: however short memory is, it takes
//! the first buffer of a connection that has nothing under way, and what is under way brings the event.
//!
//! EOPNOTSUPP is named ENOTSUP below, as libuv names it: on Linux the two are one number.
//!
//! Adding a descriptor to the poll has no row: whatever the error, what was to be watched fails. libuv
//! aborts the process.

use std::io;

use crate::error::errno_name;

/// A system call that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Accept,
    Connect,
    /// getpeername(2) of a connection that may be up.
    PeerName,
    Poll,
    Read,
    Shutdown,
    Write,
}

/// What is done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The call is as good as done.
    Done,
    /// The socket, the attempt or the run fails.
    Fail,
    /// As `Fail`, but later, like an answer that took its time.
    FailLater,
    /// What was to be accepted is gone; what waits behind it is not.
    Next,
    /// The call is made again after a pause: no event will say when it works.
    Rest,
    /// The call is made again now.
    Retry,
    /// Those who wait are turned away, since there are no descriptors for them.
    Shed,
    /// An event will say when to make the call again.
    Wait,
}

/// The table above.
pub(crate) fn answer(call: Call, error: &io::Error) -> Answer {
    let name = errno_name(error);
    match (call, name) {
        (Call::Accept | Call::Read | Call::Write, "EAGAIN") => Answer::Wait,
        (Call::Accept | Call::Read | Call::Write, "EINTR") => Answer::Retry,
        (Call::Accept, name) => of_accept(name),

        (Call::Connect, "EINPROGRESS" | "EINTR") => Answer::Wait,
        (Call::Connect, "ECONNREFUSED") => Answer::FailLater,

        (Call::PeerName, "ENOTCONN") => Answer::Wait,
        (Call::PeerName, _) => Answer::Done,

        (Call::Write, "ENOBUFS" | "ENOMEM") => Answer::Rest,

        (Call::Shutdown, "ENOTCONN") => Answer::Done,

        (Call::Poll, "EINTR") => Answer::Done,

        (Call::Connect | Call::Poll | Call::Read | Call::Shutdown | Call::Write, _) => Answer::Fail,
    }
}

fn of_accept(name: &str) -> Answer {
    match name {
        "ECONNABORTED" | "ECONNRESET" | "EHOSTDOWN" | "EHOSTUNREACH" | "ENETDOWN"
        | "ENETUNREACH" | "ENONET" | "ENOPROTOOPT" | "ENOTSUP" | "EPROTO" | "ETIMEDOUT" => {
            Answer::Next
        }
        "EMFILE" | "ENFILE" => Answer::Shed,
        "EBADF" | "EFAULT" | "EINVAL" | "ENOTSOCK" => Answer::Fail,
        _ => Answer::Rest,
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::error::errno_of;

    /// What follows from each of `names`, which has to be the same for all.
    #[track_caller]
    fn all_are(call: Call, names: &[&str], expected: Answer) {
        for name in names {
            let error = io::Error::from_raw_os_error(errno_of(name).expect("the system has it"));
            assert_eq!(answer(call, &error), expected, "{call:?} {name}");
        }
    }

    #[test]
    fn accept_waits_while_nobody_is_there() {
        all_are(Call::Accept, &["EAGAIN"], Answer::Wait);
    }

    #[test]
    fn accept_is_made_again_after_a_signal() {
        all_are(Call::Accept, &["EINTR"], Answer::Retry);
    }

    #[test]
    fn accept_goes_on_behind_a_connection_that_is_gone() {
        let gone = [
            "ECONNABORTED",
            "EPROTO",
            "ECONNRESET",
            "ETIMEDOUT",
            "ENETDOWN",
            "ENETUNREACH",
            #[cfg(any(target_os = "linux", target_os = "android"))]
            "ENONET",
            "EHOSTDOWN",
            "EHOSTUNREACH",
            "ENOPROTOOPT",
            "ENOTSUP",
        ];
        all_are(Call::Accept, &gone, Answer::Next);
    }

    #[test]
    fn accept_sheds_where_descriptors_have_run_out() {
        all_are(Call::Accept, &["EMFILE", "ENFILE"], Answer::Shed);
    }

    #[test]
    fn accept_fails_on_what_is_no_listening_socket() {
        let broken = ["EBADF", "EFAULT", "EINVAL", "ENOTSOCK"];
        all_are(Call::Accept, &broken, Answer::Fail);
    }

    #[test]
    fn accept_rests_after_anything_else() {
        let others = ["EPERM", "EACCES", "ENOBUFS", "ENOMEM", "ENOSYS", "EIO"];
        all_are(Call::Accept, &others, Answer::Rest);
        let unknown = io::Error::from_raw_os_error(1 << 20);
        assert_eq!(answer(Call::Accept, &unknown), Answer::Rest);
    }

    #[test]
    fn connect_waits_while_the_kernel_is_at_it() {
        all_are(Call::Connect, &["EINPROGRESS", "EINTR"], Answer::Wait);
    }

    #[test]
    fn connect_is_refused_later() {
        all_are(Call::Connect, &["ECONNREFUSED"], Answer::FailLater);
    }

    #[test]
    fn connect_fails_by_anything_else() {
        let others = [
            "EAGAIN",
            "EACCES",
            "EPERM",
            "EADDRNOTAVAIL",
            "ENETUNREACH",
            "ENOBUFS",
        ];
        all_are(Call::Connect, &others, Answer::Fail);
    }

    #[test]
    fn a_connection_without_a_peer_is_not_up_yet() {
        all_are(Call::PeerName, &["ENOTCONN"], Answer::Wait);
    }

    #[test]
    fn a_connection_whose_peer_cannot_be_named_is_up() {
        let others = ["EPERM", "EACCES", "ENOBUFS", "EINVAL"];
        all_are(Call::PeerName, &others, Answer::Done);
    }

    #[test]
    fn read_waits_while_there_is_nothing() {
        all_are(Call::Read, &["EAGAIN"], Answer::Wait);
    }

    #[test]
    fn read_is_made_again_after_a_signal() {
        all_are(Call::Read, &["EINTR"], Answer::Retry);
    }

    #[test]
    fn read_fails_by_anything_else() {
        let others = ["ECONNRESET", "ETIMEDOUT", "ENOMEM", "ENOBUFS"];
        all_are(Call::Read, &others, Answer::Fail);
    }

    #[test]
    fn write_waits_while_there_is_no_room() {
        all_are(Call::Write, &["EAGAIN"], Answer::Wait);
    }

    #[test]
    fn write_is_made_again_after_a_signal() {
        all_are(Call::Write, &["EINTR"], Answer::Retry);
    }

    #[test]
    fn write_rests_while_memory_is_short() {
        all_are(Call::Write, &["ENOBUFS", "ENOMEM"], Answer::Rest);
    }

    #[test]
    fn write_fails_by_anything_else() {
        let others = ["EPIPE", "ECONNRESET", "EPERM", "EACCES"];
        all_are(Call::Write, &others, Answer::Fail);
    }

    #[test]
    fn shutdown_of_a_dead_connection_is_done() {
        all_are(Call::Shutdown, &["ENOTCONN"], Answer::Done);
    }

    #[test]
    fn shutdown_fails_by_anything_else() {
        all_are(Call::Shutdown, &["EINVAL", "ENOBUFS"], Answer::Fail);
    }

    #[test]
    fn poll_is_interrupted_by_signals() {
        all_are(Call::Poll, &["EINTR"], Answer::Done);
    }

    #[test]
    fn poll_fails_by_anything_else() {
        all_are(Call::Poll, &["EBADF", "EINVAL"], Answer::Fail);
    }

    #[test]
    fn the_kinds_that_scripts_use_count_as_their_numbers() {
        let of = |call, kind: ErrorKind| answer(call, &kind.into());
        assert_eq!(of(Call::Write, ErrorKind::WouldBlock), Answer::Wait);
        assert_eq!(of(Call::Write, ErrorKind::Interrupted), Answer::Retry);
        assert_eq!(of(Call::Write, ErrorKind::OutOfMemory), Answer::Rest);
        assert_eq!(of(Call::Write, ErrorKind::BrokenPipe), Answer::Fail);
        assert_eq!(of(Call::Shutdown, ErrorKind::NotConnected), Answer::Done);
    }
}
