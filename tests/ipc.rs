//! Unix domain sockets: whose file is removed, and whose is not.

mod support;

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use soquete::event;
use soquete::net::{self, BoundSocket, ListenOptions};
use support::{note, record, run_on, run_to_end};

/// A path of this test's own, where nothing is.
fn path(name: &str) -> PathBuf {
    let at = std::env::temp_dir().join(format!("soquete-ipc-{}-{name}", std::process::id()));
    let _ = fs::remove_file(&at);
    at
}

#[test]
fn the_file_goes_with_the_server() {
    let at = path("goes");
    let server = net::create_server(|_| {}).listen(at.as_path());
    assert!(at.exists());
    server.close();
    assert!(!at.exists(), "in the call, as the descriptor");
    run_to_end();
}

#[test]
fn a_file_that_somebody_else_has_put_in_its_place_stays() {
    let at = path("rebound");
    let server = net::create_server(|_| {}).listen(at.as_path());
    fs::remove_file(&at).unwrap();
    let usurper = UnixListener::bind(&at).unwrap();
    server.close();
    run_to_end();
    assert!(at.exists());
    UnixStream::connect(&at).expect("the other's server is still reached");
    drop(usurper);
    fs::remove_file(at).unwrap();
}

#[test]
fn a_file_that_is_gone_already_is_no_error() {
    let at = path("gone");
    let server = net::create_server(|_| {}).listen(at.as_path());
    fs::remove_file(&at).unwrap();
    server.close();
    run_to_end();
}

#[test]
fn a_stale_file_is_in_use_and_stays() {
    let at = path("stale");
    drop(UnixListener::bind(&at).unwrap());
    let server = net::create_server(|_| {}).listen(at.as_path());
    server.on(event::Error, move |error| {
        note(error.code());
        server.close();
    });
    net::connect(at.as_path()).on(event::Error, |error| note(error.code()));
    run_to_end();
    assert_eq!(record(), ["EADDRINUSE", "ECONNREFUSED"]);
    assert!(at.exists());
    fs::remove_file(at).unwrap();
}

#[test]
fn a_bound_socket_that_nobody_adopted_takes_its_file_along() {
    let at = path("dropped");
    let bound = BoundSocket::new(at.as_path()).unwrap();
    let clone = bound.clone();
    drop(bound);
    assert!(at.exists(), "there is another one");
    drop(clone);
    assert!(!at.exists());
}

#[test]
fn a_bound_socket_can_be_adopted_by_another_thread() {
    let at = path("sent");
    let bound = BoundSocket::new(at.as_path()).unwrap();
    let here = bound.clone();
    let there = std::thread::spawn(move || {
        let server = net::create_server(|socket| {
            socket.write("hello");
            socket.destroy_soon();
            socket.server().map(|server| server.close());
        });
        server.listen(bound);
        run_to_end();
    });
    let mut stream = loop {
        // Not listened on until the other thread does.
        if let Ok(stream) = UnixStream::connect(&at) {
            break stream;
        }
        std::thread::yield_now();
    };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    there.join().unwrap();
    assert_eq!(text, "hello");
    assert_eq!(
        here.address().unwrap_err().code(),
        "ERR_SOCKET_HANDLE_ADOPTED"
    );
    assert!(!at.exists());
}

#[test]
fn permissions_of_an_abstract_name_are_an_invalid_value() {
    let name = format!("\0soquete-ipc-{}", std::process::id());
    let server = net::create_server(|_| {});
    server.listen(ListenOptions::path(name).readable_all(true));
    server.on(event::Error, move |error| {
        note(error.code());
        server.close();
    });
    run_to_end();
    assert_eq!(record(), ["ERR_INVALID_ARG_VALUE"]);
}

#[test]
fn a_connect_that_the_backlog_has_no_room_for_is_refused_as_the_kernel_says() {
    let at = path("full");
    let listener =
        socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    listener
        .bind(&socket2::SockAddr::unix(&at).unwrap())
        .unwrap();
    listener.listen(0).unwrap();
    let first = net::connect(at.as_path());
    first.once(event::Connect, move |()| {
        note("connect");
        net::connect(at.as_path()).on(event::Error, move |error| {
            note(error.code());
            first.destroy();
            let _ = fs::remove_file(&at);
        });
    });
    run_to_end();
    assert_eq!(record(), ["connect", "EAGAIN"]);
}

#[test]
fn a_path_of_nothing_or_with_a_zero_in_it_is_invalid() {
    for (path, of_listen) in [
        ("", "ERR_INVALID_ARG_VALUE"),
        ("/tmp/soquete\0cut-off", "EINVAL"),
    ] {
        let client = net::connect(std::path::Path::new(path));
        client.on(event::Error, |error| {
            note(format!("connect {}", error.code()))
        });
        let server = net::create_server(|_| {});
        server.on(event::Error, |error| {
            note(format!("listen {}", error.code()))
        });
        server.listen(ListenOptions::path(path));
        run_on().unwrap();
        server.close();
        run_to_end();
        let listen = format!("listen {of_listen}");
        assert_eq!(record(), ["connect EINVAL", &listen], "{path:?}");
    }
    assert!(!std::path::Path::new("/tmp/soquete").exists());
}

#[test]
fn a_socket_that_connects_by_a_path_cannot_be_reset() {
    let at = path("no-reset");
    let server = net::create_server(|socket| {
        socket.end();
    });
    server.listen(at.as_path());
    let client = net::connect(at.as_path());
    assert!(client.connecting());
    let error = client.reset_and_destroy().unwrap_err();
    assert_eq!(error.code(), "ERR_INVALID_HANDLE_TYPE");
    client.on(event::Connect, move |()| {
        note("connect");
        server.close();
    });
    client.resume();
    run_to_end();
    assert_eq!(record(), ["connect"]);
}

/// A path as long as the kernel takes it, which leaves no room for a NUL behind it.
fn longest_path(name: &str) -> PathBuf {
    let base = path(name);
    let fill = "x".repeat(LONGEST - base.as_os_str().len());
    let at = PathBuf::from(format!("{}{fill}", base.display()));
    let _ = fs::remove_file(&at);
    at
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const LONGEST: usize = 108;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const LONGEST: usize = 104;

/// Binds or connects a socket as C does, which may leave the NUL out.
fn as_in_c(
    socket: &impl std::os::fd::AsRawFd,
    path: &std::path::Path,
    call: unsafe extern "C" fn(i32, *const libc::sockaddr, libc::socklen_t) -> i32,
) {
    use std::os::unix::ffi::OsStrExt;
    let bytes = path.as_os_str().as_bytes();
    // SAFETY: the address is plain data, and its length is that of what was filled in.
    unsafe {
        let mut address: libc::sockaddr_un = std::mem::zeroed();
        address.sun_family = libc::AF_UNIX as _;
        for (to, from) in address.sun_path.iter_mut().zip(bytes) {
            *to = *from as _;
        }
        let length = std::mem::offset_of!(libc::sockaddr_un, sun_path) + bytes.len();
        let pointer = (&raw const address).cast();
        let answer = call(socket.as_raw_fd(), pointer, length as _);
        assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    }
}

fn bound_to(path: &std::path::Path) -> socket2::Socket {
    let (domain, kind) = (socket2::Domain::UNIX, socket2::Type::STREAM);
    let socket = socket2::Socket::new(domain, kind, None).unwrap();
    as_in_c(&socket, path, libc::bind);
    socket
}

fn connect_from(path: &std::path::Path, to: &std::path::Path) -> UnixStream {
    let socket = bound_to(path);
    as_in_c(&socket, to, libc::connect);
    UnixStream::from(std::os::fd::OwnedFd::from(socket))
}

#[test]
fn a_client_with_the_longest_path_is_a_client_like_others() {
    let (at, from) = (path("served"), longest_path("client"));
    let server = net::create_server(|socket| {
        note(format!("connection {:?}", socket.remote_socket_addr()));
        socket.server().map(|server| server.close());
        socket.destroy();
    });
    server.listen(at.as_path());
    let _client = connect_from(&from, &at);
    run_to_end();
    fs::remove_file(from).unwrap();
    assert_eq!(record(), ["connection None"]);
}

#[test]
fn a_client_with_the_longest_path_can_be_turned_away() {
    let (at, from) = (path("full-up"), longest_path("turned-away"));
    let server = net::create_server(|_| note("connection"));
    server.set_max_connections(Some(0));
    server.on(event::Drop, move |info| {
        note(format!("drop {:?}", info.remote));
        server.close();
    });
    server.listen(at.as_path());
    let _client = connect_from(&from, &at);
    run_to_end();
    fs::remove_file(from).unwrap();
    assert_eq!(record(), ["drop None"]);
}

#[test]
fn a_connection_whose_ends_have_the_longest_paths_can_be_adopted() {
    let (at, from) = (longest_path("adopted"), longest_path("adopted-from"));
    let listener = bound_to(&at);
    listener.listen(1).unwrap();
    let client = connect_from(&from, &at);
    let accepted = listener.accept().unwrap().0;
    let stream = net::StdStream::try_from(std::os::fd::OwnedFd::from(accepted)).unwrap();
    note(format!("{}", format!("{stream:?}").contains("Unix")));
    let socket = net::Socket::from_std(stream).unwrap();
    note(format!(
        "{:?} {:?}",
        socket.local_socket_addr(),
        socket.remote_socket_addr()
    ));
    drop(client);
    socket.resume();
    socket.on(event::End, |()| note("end"));
    let server = net::create_server(|_| ());
    server.listen(UnixListener::from(std::os::fd::OwnedFd::from(listener)));
    note(format!(
        "{}",
        server.address().unwrap().path() == Some(at.as_path())
    ));
    server.close();
    run_to_end();
    fs::remove_file(at).unwrap();
    fs::remove_file(from).unwrap();
    assert_eq!(record(), ["true", "None None", "true", "end"]);
}

#[cfg(feature = "ipc")]
#[test]
fn the_longest_path_can_be_listened_on_and_connected_to() {
    let at = longest_path("longest");
    let server = net::create_server(|socket| {
        socket.end_with("hello");
    });
    server.on(event::Error, |error| note(error.to_string()));
    server.listen(at.as_path());
    note(format!("{}", at.exists()));
    let client = net::connect(at.as_path());
    client.on(event::Error, |error| note(error.to_string()));
    client.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
    client.on(event::Close, move |_| {
        server.close();
    });
    run_to_end();
    assert_eq!(record(), ["true", "hello"]);
    assert!(!at.exists());
}

#[cfg(feature = "ipc")]
#[test]
fn the_longest_path_can_be_bound_and_adopted() {
    let at = longest_path("bound");
    let bound = BoundSocket::new(at.as_path()).unwrap();
    let server = net::create_server(|socket| {
        socket.end();
    });
    server.listen(bound);
    let client = net::connect(at.as_path()).resume();
    client.on(event::Close, move |_| {
        note("close");
        server.close();
    });
    run_to_end();
    assert_eq!(record(), ["close"]);
}

#[test]
fn a_path_that_is_longer_is_invalid() {
    let at = format!("{}x", longest_path("too-long").display());
    let client = net::connect(std::path::Path::new(&at));
    client.on(event::Error, |error| {
        note(format!("connect {}", error.code()))
    });
    let server = net::create_server(|_| {});
    server.on(event::Error, |error| {
        note(format!("listen {}", error.code()))
    });
    server.listen(ListenOptions::path(at));
    run_on().unwrap();
    server.close();
    run_to_end();
    assert_eq!(record(), ["connect EINVAL", "listen EINVAL"]);
}

#[cfg(all(feature = "ipc", any(target_os = "linux", target_os = "android")))]
#[test]
fn a_message_over_a_path_takes_one_read_and_asks_for_no_further_poll() {
    use std::io::Write;
    let at = path("messages");
    let server = net::create_server(|socket| {
        socket.on(event::Data, |_| ());
        socket.on(event::Close, move |_| {
            socket.server().map(|server| server.close());
        });
    });
    server.listen(at.as_path());
    let mut client = UnixStream::connect(&at).unwrap();
    soquete::run_nowait().unwrap();
    soquete::run_nowait().unwrap();
    let before = soquete::metrics();
    for message in 1..=10 {
        client.write_all(b"ping").unwrap();
        // The second turn would read once more, if the first had asked for it.
        soquete::run_nowait().unwrap();
        soquete::run_nowait().unwrap();
        let metrics = soquete::metrics();
        assert_eq!(metrics.reads - before.reads, message);
        assert_eq!(metrics.bytes_read - before.bytes_read, 4 * message);
    }
    drop(client);
    run_to_end();
}

/// Sends bytes, with a descriptor that nobody has asked for.
fn send_with_descriptor(stream: &UnixStream, text: &[u8]) {
    use std::os::fd::AsRawFd;
    let descriptor = stream.as_raw_fd();
    let mut part = libc::iovec {
        iov_base: text.as_ptr().cast_mut().cast(),
        iov_len: text.len(),
    };
    // SAFETY: the message points to what lives until it is sent, and the control buffer has room for
    // one descriptor.
    unsafe {
        let mut control = [0_u64; 8];
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(4) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(4) as _;
        libc::CMSG_DATA(header)
            .cast::<i32>()
            .write_unaligned(descriptor);
        let sent = libc::sendmsg(stream.as_raw_fd(), &raw const message, 0);
        assert_eq!(sent, text.len() as isize);
    }
}

#[test]
fn what_comes_behind_passed_descriptors_is_read_and_they_are_closed() {
    use std::io::Write;
    let at = path("descriptors");
    let server = net::create_server(|socket| {
        // One event, whose first read the kernel cuts off after the first descriptor.
        socket.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
        socket.on(event::Close, move |_| {
            socket.server().map(|server| server.close());
        });
    });
    server.listen(at.as_path());
    let mut client = UnixStream::connect(&at).unwrap();
    let before = support::open_descriptors();
    client.write_all(b"a").unwrap();
    send_with_descriptor(&client, b"b");
    send_with_descriptor(&client, b"c");
    client.write_all(b"d").unwrap();
    let mut client = Some(client);
    soquete::timers::set_timeout(std::time::Duration::from_millis(50), move || {
        note("quiet");
        // The accepted socket, and the poll with its waker where this was the first to need them.
        let now = support::open_descriptors();
        assert!(now <= before.map(|before| before + 3), "{before:?} {now:?}");
        drop(client.take());
    });
    run_to_end();
    assert_eq!(record(), ["ab", "c", "d", "quiet"]);
}
