//! Servers and sockets by path. What a path is called is left out of the traces.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use soquete::net::{self, BindOptions, BoundSocket, ListenOptions, Server, Socket};
use soquete::{Error, event};

use crate::trace::Trace;

crate::family!("servers_ipc":
    a_conversation_by_path,
    a_path_that_is_missing,
    a_path_that_is_no_socket,
    a_path_that_is_too_long,
    a_path_that_is_too_long_to_listen,
    a_directory_that_is_missing,
    a_path_that_is_in_use,
    a_file_in_the_way,
    a_name_without_a_file,
    everybody_may,
    too_many_by_path,
    a_reset_by_path_is_refused,
    destroyed_in_the_turn_of_connect,
    closed_in_the_turn_of_listen,
    a_bound_path_listens,
    a_bound_path_that_is_given_up,
    a_bound_path_connects,
);

fn path(name: &str) -> PathBuf {
    let name = format!("soquete-{}-{name}.sock", std::process::id());
    let at = std::env::temp_dir().join(name);
    let _ = fs::remove_file(&at);
    at
}

/// Events whose payload has no path in it.
fn server(t: Trace, connected: impl FnMut(Socket) + 'static) -> Server {
    net::create_server(connected)
        .on(event::Listening, move |()| t.log("S", "listening"))
        .on(event::Drop, move |info| {
            let remote = info
                .remote
                .map_or("undefined".to_owned(), |r| r.to_string());
            t.log("S", format!("drop {remote}"));
        })
        .on(event::Close, move |_| t.log("S", "close"))
        .on(event::Error, move |error| failure(t, "S", error))
}

fn failure(t: Trace, lane: &str, error: &Error) {
    let message = error
        .to_string()
        .replace(error.address().unwrap_or("?"), "PATH");
    let port = error
        .port()
        .map_or("undefined".to_owned(), |p| p.to_string());
    let syscall = error.syscall().unwrap_or_default();
    t.log(lane, format!("error {message} {syscall} {port}"));
}

fn client(t: Trace, at: &Path) -> Socket {
    net::connect(at)
        .on(event::Error, move |error| failure(t, "c", error))
        .on(event::ConnectionAttemptFailed, move |failed| {
            assert_eq!((failed.attempt.port, failed.attempt.family), (None, None));
            let code = failed.error.code();
            t.log(
                "c",
                format!("connectionAttemptFailed undefined undefined {code}"),
            );
        })
        .on(event::Connect, move |()| t.log("c", "connect"))
        .on(event::Close, move |had_error| {
            t.log("c", format!("close({had_error})"))
        })
}

fn is_at(s: Server, at: &Path) -> bool {
    s.address()
        .is_some_and(|address| address.path() == Some(at))
}

fn a_conversation_by_path(t: Trace) {
    let at = path("conversation");
    let s = server(t, move |c| {
        assert_eq!(
            (c.remote_socket_addr(), c.local_socket_addr()),
            (None, None)
        );
        t.log("s", "undefined undefined undefined");
        c.on(event::Data, move |chunk| t.data("s", chunk));
        c.on(event::End, move |()| t.log("s", "end"));
        c.server().map(|s| s.close());
    });
    s.listen_then(at.as_path(), t.called("S", "listen"));
    let (listening, same, there) = (s.listening(), is_at(s, &at), at.exists());
    t.log(
        "S",
        format!("listening={listening} path={same} there={there}"),
    );
    client(t, &at).end_with("hello");
    s.on(event::Close, move |_| {
        t.log("S", format!("there={}", at.exists()))
    });
}

fn a_path_that_is_missing(t: Trace) {
    client(t, &path("missing"));
}

fn a_path_that_is_no_socket(t: Trace) {
    let at = path("file");
    fs::write(&at, "").unwrap();
    client(t, &at).on(event::Close, move |_| fs::remove_file(&at).unwrap());
}

fn a_path_that_is_too_long(t: Trace) {
    client(t, &path(&"x".repeat(120)));
}

fn a_path_that_is_too_long_to_listen(t: Trace) {
    server(t, |_| {}).listen(path(&"x".repeat(120)));
}

fn a_directory_that_is_missing(t: Trace) {
    server(t, |_| {}).listen(path("nowhere").join("x.sock"));
}

fn a_path_that_is_in_use(t: Trace) {
    let at = path("use");
    let first = net::create_server(|_| {}).listen(at.as_path());
    let s = server(t, |_| {}).listen(at);
    t.log("S", format!("listening={}", s.listening()));
    s.on(event::Error, move |_| {
        first.close();
    });
}

fn a_file_in_the_way(t: Trace) {
    let at = path("way");
    fs::write(&at, "precious").unwrap();
    server(t, |_| {})
        .listen(at.as_path())
        .on(event::Error, move |_| {
            t.log("S", fs::read_to_string(&at).unwrap());
            fs::remove_file(&at).unwrap();
        });
}

fn a_name_without_a_file(t: Trace) {
    let name = PathBuf::from(format!("\0soquete-{}", std::process::id()));
    let s = server(t, |c| {
        c.resume();
        c.server().map(|s| s.close());
    });
    s.listen(name.as_path());
    t.log("S", format!("name={}", is_at(s, &name)));
    client(t, &name).end();
}

fn everybody_may(t: Trace) {
    type Permit = fn(ListenOptions) -> ListenOptions;
    let cases: [(&str, Permit); 3] = [
        ("read", |options| options.readable_all(true)),
        ("write", |options| options.writable_all(true)),
        ("both", |options| {
            options.readable_all(true).writable_all(true)
        }),
    ];
    for (name, permit) in cases {
        let at = path(name);
        let s = net::create_server(|_| {}).listen(permit(ListenOptions::path(&at)));
        let mode = fs::metadata(&at).unwrap().permissions().mode() & 0o777;
        t.log("S", format!("{name} {mode:o}"));
        s.close();
    }
}

fn too_many_by_path(t: Trace) {
    let at = path("many");
    let s = server(t, |_| {});
    s.set_max_connections(Some(0));
    s.on(event::Drop, move |_| {
        s.close();
    });
    s.listen(at.as_path());
    client(t, &at).resume();
}

fn a_reset_by_path_is_refused(t: Trace) {
    let at = path("reset");
    let s = server(t, move |c| {
        c.server().map(|s| s.close());
        let error = c.reset_and_destroy().unwrap_err();
        t.log("s", format!("{} destroyed={}", error.code(), c.destroyed()));
        c.end();
    });
    s.listen(at.as_path());
    client(t, &at).resume();
}

fn destroyed_in_the_turn_of_connect(t: Trace) {
    let at = path("destroyed");
    let s = server(t, |_| {});
    s.listen(at.as_path());
    client(t, &at).destroy();
    t.turns(5, move || {
        s.close();
    });
}

fn closed_in_the_turn_of_listen(t: Trace) {
    let at = path("closed");
    let s = server(t, |_| {}).listen(at.as_path());
    s.close_then(t.cb("S", "close"));
    t.log("S", format!("there={}", at.exists()));
}

fn a_bound_path_listens(t: Trace) {
    let at = path("bound");
    let bound = BoundSocket::new(at.as_path()).unwrap();
    let same = bound.address().unwrap().path() == Some(&at);
    t.log(
        "S",
        format!("{same} {} there={}", bound.is_pipe(), at.exists()),
    );
    let s = server(t, |_| {}).listen(bound);
    t.log("S", format!("path={}", is_at(s, &at)));
    s.once(event::Listening, move |()| {
        s.close();
    });
    s.on(event::Close, move |_| {
        t.log("S", format!("there={}", at.exists()))
    });
}

fn a_bound_path_that_is_given_up(t: Trace) {
    let at = path("given");
    let bound = BoundSocket::new(BindOptions::path(&at)).unwrap();
    bound.close().unwrap();
    t.log("S", format!("there={}", at.exists()));
}

fn a_bound_path_connects(t: Trace) {
    let (at, from) = (path("target"), path("from"));
    let s = server(t, move |c| {
        c.on(event::Data, move |chunk| t.data("s", chunk));
        c.server().map(|s| s.close());
    });
    s.listen_then(at.clone(), move |_| {
        let bound = BoundSocket::new(from.as_path()).unwrap();
        let c = Socket::from_bound(&bound).unwrap();
        c.connect(at);
        c.on(event::Close, move |_| {
            t.log("c", format!("close there={}", from.exists()));
        });
        c.end_with("hello");
    });
}
