//! System calls that fail as a test says, on the test's own thread: seccomp(2) hands each of them to a
//! second thread, which lets it go on or answers in the kernel's place.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::mpsc;

/// A system call: its number and its arguments.
pub struct Asked {
    pub number: i64,
    pub arguments: [u64; 6],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Notification {
    id: u64,
    pid: u32,
    flags: u32,
    number: i32,
    architecture: u32,
    instruction: u64,
    arguments: [u64; 6],
}

#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

const RECEIVE: libc::c_ulong = 0xC050_2100;
const SEND: libc::c_ulong = 0xC018_2101;
const CONTINUE: u32 = 1;
const NEW_LISTENER: libc::c_ulong = 1 << 3;
const SET_FILTER: libc::c_ulong = 1;
const TELL: u32 = 0x7fc0_0000;
const ALLOW: u32 = 0x7fff_0000;

/// From now on asks `decide` about each of these system calls of this thread: `Some` is the errno that
/// it fails with, `None` lets it go on.
pub fn deciding(calls: &[i64], mut decide: impl FnMut(&Asked) -> Option<i32> + Send + 'static) {
    let (sender, receiver) = mpsc::channel::<OwnedFd>();
    // Begun before the filter, which it would inherit.
    std::thread::spawn(move || {
        let Ok(listener) = receiver.recv() else {
            return;
        };
        while let Some(notification) = next(&listener) {
            let asked = Asked {
                number: notification.number.into(),
                arguments: notification.arguments,
            };
            let errno = decide(&asked);
            let mut response = Response {
                id: notification.id,
                value: 0,
                error: errno.map_or(0, |errno| -errno),
                flags: if errno.is_none() { CONTINUE } else { 0 },
            };
            // SAFETY: the kernel reads the structure that it has defined for this request.
            unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &mut response) };
        }
    });
    let descriptor = install(&program(calls));
    sender.send(descriptor).expect("the second thread waits");
}

/// `None` once the thread that had the filter is gone.
fn next(listener: &OwnedFd) -> Option<Notification> {
    loop {
        let mut poll = libc::pollfd {
            fd: listener.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one structure is handed over, and one is announced.
        unsafe { libc::poll(&mut poll, 1, -1) };
        if poll.revents & libc::POLLIN == 0 {
            return None;
        }
        let mut notification = Notification::default();
        // SAFETY: the kernel fills in the structure that it has defined for this request.
        if unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE, &mut notification) } == 0 {
            return Some(notification);
        }
    }
}

fn program(calls: &[i64]) -> Vec<libc::sock_filter> {
    let instruction = |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let mut program = vec![instruction(
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        0,
        0,
        0,
    )];
    for &call in calls {
        let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
        program.push(instruction(equal, call as u32, 0, 1));
        program.push(instruction(libc::BPF_RET | libc::BPF_K, TELL, 0, 0));
    }
    program.push(instruction(libc::BPF_RET | libc::BPF_K, ALLOW, 0, 0));
    program
}

fn install(program: &[libc::sock_filter]) -> OwnedFd {
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the filter lives until the call returns, and the descriptor is new.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let descriptor = libc::syscall(libc::SYS_seccomp, SET_FILTER, NEW_LISTENER, &filter);
        assert!(descriptor >= 0, "{}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(descriptor as i32)
    }
}
