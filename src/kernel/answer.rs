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
//! | | ENOBUFS | no event tells when there is memory: try again after a pause | the next poll, at once |
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
//! Adding a descriptor to the poll has no row: whatever the error, what was to be watched fails. libuv
//! aborts the process.

use std::io::{self, ErrorKind};

use rustix::io::Errno;

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
    /// As `Fail`, and told later, like an answer that took its time.
    FailLater,
    /// What was to be accepted is gone; what waits behind it is not.
    Next,
    /// The call is made again after a pause: no event will tell when it works.
    Rest,
    /// The call is made again now.
    Retry,
    /// Those who wait are turned away, since there are no descriptors for them.
    Shed,
    /// An event will tell when to make the call again.
    Wait,
}

/// The table above.
pub(crate) fn answer(call: Call, error: &io::Error) -> Answer {
    let errno = errno(error);
    match (call, errno) {
        (Call::Accept | Call::Read | Call::Write, Some(Errno::AGAIN)) => Answer::Wait,
        (Call::Accept | Call::Read | Call::Write, Some(Errno::INTR)) => Answer::Retry,
        (Call::Accept, errno) => of_accept(errno),

        (Call::Connect, Some(Errno::INPROGRESS | Errno::INTR)) => Answer::Wait,
        (Call::Connect, Some(Errno::CONNREFUSED)) => Answer::FailLater,

        (Call::PeerName, Some(Errno::NOTCONN)) => Answer::Wait,
        (Call::PeerName, _) => Answer::Done,

        (Call::Write, Some(Errno::NOBUFS | Errno::NOMEM)) => Answer::Rest,

        (Call::Shutdown, Some(Errno::NOTCONN)) => Answer::Done,

        (Call::Poll, Some(Errno::INTR)) => Answer::Done,

        (Call::Connect | Call::Poll | Call::Read | Call::Shutdown | Call::Write, _) => Answer::Fail,
    }
}

fn of_accept(errno: Option<Errno>) -> Answer {
    match errno {
        Some(
            Errno::CONNABORTED
            | Errno::CONNRESET
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::NOPROTOOPT
            | Errno::OPNOTSUPP
            | Errno::PROTO
            | Errno::TIMEDOUT,
        ) => Answer::Next,
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Some(Errno::NONET) => Answer::Next,
        Some(Errno::MFILE | Errno::NFILE) => Answer::Shed,
        Some(Errno::BADF | Errno::FAULT | Errno::INVAL | Errno::NOTSOCK) => Answer::Fail,
        _ => Answer::Rest,
    }
}

/// The number, also of those errors without one that scripts make.
fn errno(error: &io::Error) -> Option<Errno> {
    // What is outside of this range is no error of a kernel's.
    if let Some(number) = error.raw_os_error() {
        return (1..4096)
            .contains(&number)
            .then(|| Errno::from_raw_os_error(number));
    }
    match error.kind() {
        ErrorKind::Interrupted => Some(Errno::INTR),
        ErrorKind::NotConnected => Some(Errno::NOTCONN),
        ErrorKind::OutOfMemory => Some(Errno::NOMEM),
        ErrorKind::WouldBlock => Some(Errno::AGAIN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows from each of `errnos`, which has to be the same for all.
    #[track_caller]
    fn all_are(call: Call, errnos: &[Errno], expected: Answer) {
        for &errno in errnos {
            assert_eq!(answer(call, &errno.into()), expected, "{call:?} {errno:?}");
        }
    }

    #[test]
    fn accept_waits_while_nobody_is_there() {
        all_are(
            Call::Accept,
            &[Errno::AGAIN, Errno::WOULDBLOCK],
            Answer::Wait,
        );
    }

    #[test]
    fn accept_is_made_again_after_a_signal() {
        all_are(Call::Accept, &[Errno::INTR], Answer::Retry);
    }

    #[test]
    fn accept_goes_on_behind_a_connection_that_is_gone() {
        let gone = [
            Errno::CONNABORTED,
            Errno::PROTO,
            Errno::CONNRESET,
            Errno::TIMEDOUT,
            Errno::NETDOWN,
            Errno::NETUNREACH,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Errno::NONET,
            Errno::HOSTDOWN,
            Errno::HOSTUNREACH,
            Errno::NOPROTOOPT,
            Errno::OPNOTSUPP,
        ];
        all_are(Call::Accept, &gone, Answer::Next);
    }

    #[test]
    fn accept_sheds_where_descriptors_have_run_out() {
        all_are(Call::Accept, &[Errno::MFILE, Errno::NFILE], Answer::Shed);
    }

    #[test]
    fn accept_fails_on_what_is_no_listening_socket() {
        let broken = [Errno::BADF, Errno::FAULT, Errno::INVAL, Errno::NOTSOCK];
        all_are(Call::Accept, &broken, Answer::Fail);
    }

    #[test]
    fn accept_rests_after_anything_else() {
        let others = [
            Errno::PERM,
            Errno::ACCESS,
            Errno::NOBUFS,
            Errno::NOMEM,
            Errno::NOSYS,
            Errno::IO,
        ];
        all_are(Call::Accept, &others, Answer::Rest);
        let unknown = io::Error::from_raw_os_error(1 << 20);
        assert_eq!(answer(Call::Accept, &unknown), Answer::Rest);
    }

    #[test]
    fn connect_waits_while_the_kernel_is_at_it() {
        all_are(
            Call::Connect,
            &[Errno::INPROGRESS, Errno::INTR],
            Answer::Wait,
        );
    }

    #[test]
    fn connect_is_refused_later() {
        all_are(Call::Connect, &[Errno::CONNREFUSED], Answer::FailLater);
    }

    #[test]
    fn connect_fails_by_anything_else() {
        let others = [
            Errno::AGAIN,
            Errno::ACCESS,
            Errno::PERM,
            Errno::ADDRNOTAVAIL,
            Errno::NETUNREACH,
            Errno::NOBUFS,
        ];
        all_are(Call::Connect, &others, Answer::Fail);
    }

    #[test]
    fn a_connection_without_a_peer_is_not_up_yet() {
        all_are(Call::PeerName, &[Errno::NOTCONN], Answer::Wait);
    }

    #[test]
    fn a_connection_whose_peer_cannot_be_named_is_up() {
        let others = [Errno::PERM, Errno::ACCESS, Errno::NOBUFS, Errno::INVAL];
        all_are(Call::PeerName, &others, Answer::Done);
    }

    #[test]
    fn read_waits_while_there_is_nothing() {
        all_are(Call::Read, &[Errno::AGAIN], Answer::Wait);
    }

    #[test]
    fn read_is_made_again_after_a_signal() {
        all_are(Call::Read, &[Errno::INTR], Answer::Retry);
    }

    #[test]
    fn read_fails_by_anything_else() {
        let others = [
            Errno::CONNRESET,
            Errno::TIMEDOUT,
            Errno::NOMEM,
            Errno::NOBUFS,
        ];
        all_are(Call::Read, &others, Answer::Fail);
    }

    #[test]
    fn write_waits_while_there_is_no_room() {
        all_are(Call::Write, &[Errno::AGAIN], Answer::Wait);
    }

    #[test]
    fn write_is_made_again_after_a_signal() {
        all_are(Call::Write, &[Errno::INTR], Answer::Retry);
    }

    #[test]
    fn write_rests_while_memory_is_short() {
        all_are(Call::Write, &[Errno::NOBUFS, Errno::NOMEM], Answer::Rest);
    }

    #[test]
    fn write_fails_by_anything_else() {
        let others = [Errno::PIPE, Errno::CONNRESET, Errno::PERM, Errno::ACCESS];
        all_are(Call::Write, &others, Answer::Fail);
    }

    #[test]
    fn shutdown_of_a_dead_connection_is_done() {
        all_are(Call::Shutdown, &[Errno::NOTCONN], Answer::Done);
    }

    #[test]
    fn shutdown_fails_by_anything_else() {
        all_are(Call::Shutdown, &[Errno::INVAL, Errno::NOBUFS], Answer::Fail);
    }

    #[test]
    fn poll_is_interrupted_by_signals() {
        all_are(Call::Poll, &[Errno::INTR], Answer::Done);
    }

    #[test]
    fn poll_fails_by_anything_else() {
        all_are(Call::Poll, &[Errno::BADF, Errno::INVAL], Answer::Fail);
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
