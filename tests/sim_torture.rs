//! Each call of the kernel fails once with each error that it can have: no panic, no hang, nothing lost, no
//! event after `Close`.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{FrameReader, FrameWriter, LengthPrefix};
use soquete::net::{self, ConnectOptions, Server, ServerOptions, Socket};
use soquete::sim::{self, World};
use soquete::{event, timers};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Latency, cut streams and small buffers, so that every program meets all that may go wrong.
fn world() -> World {
    World::seed(1)
        .leaves_nothing()
        .latency(ms(1)..=ms(20))
        .segments(500..=1460)
        .send_buffer(20_000)
        .window(20_000)
        .name("db.example", "10.0.0.1", ms(5))
        .name("many.example", ["10.0.0.66", "10.0.0.2", "10.0.0.3"], ms(5))
}

#[track_caller]
fn torture(program: fn()) {
    let tortured = sim::torture(world(), program);
    println!("{} calls, {} runs", tortured.calls, tortured.runs);
    assert!(tortured.runs > 30, "too little to fail: {}", tortured.runs);
    tortured.check();
}

fn serve(listener: impl FnMut(Socket) + 'static, begin: impl FnOnce(Server) + 'static) {
    let server = net::create_server(listener);
    server.on(event::Error, |_| {});
    server.listen(("10.0.0.1", 80));
    server.once(event::Listening, move |()| begin(server));
}

/// Counts sockets that are to close, and closes the server after the last.
fn closing(server: Server, sockets: u32) -> impl Fn(Socket) + Clone {
    let open = Rc::new(Cell::new(sockets));
    move |socket: Socket| {
        let open = Rc::clone(&open);
        socket.on(event::Error, |_| {});
        socket.on(event::Close, move |_| {
            open.set(open.get() - 1);
            if open.get() == 0 {
                server.close();
            }
        });
    }
}

fn echo(socket: Socket) {
    socket.on(event::Error, |_| {});
    socket.on(event::Data, move |chunk| {
        socket.write(chunk);
    });
}

/// Gives up when nothing comes any more.
fn impatient(socket: Socket) {
    socket.set_timeout(Duration::from_secs(5));
    socket.on(event::Timeout, move |()| {
        socket.destroy();
    });
}

#[test]
fn an_echo_by_name() {
    torture(|| {
        serve(echo, |server| {
            let client = net::connect(("db.example", 80));
            client.set_no_delay(true);
            client.write(vec![7; 100_000]);
            let got = Cell::new(0);
            client.on(event::Data, move |chunk| {
                got.set(got.get() + chunk.len());
                if got.get() == 100_000 {
                    client.end();
                }
            });
            closing(server, 1)(client);
        });
    });
}

#[test]
fn half_close_both_ways() {
    torture(|| {
        let server =
            net::create_server_with(ServerOptions::new().allow_half_open(true), |socket| {
                socket.on(event::Error, |_| {});
                impatient(socket);
                socket.on(event::Data, |_| {});
                socket.on(event::End, move |()| {
                    socket.end_with(vec![2; 30_000]);
                });
            });
        server.on(event::Error, |_| {});
        server.listen(("10.0.0.1", 80));
        server.once(event::Listening, move |()| {
            let closing = closing(server, 2);
            let first = net::connect(("10.0.0.1", 80));
            first.end_with(vec![1; 30_000]);
            first.on(event::Data, |_| {});
            closing(first);
            let options = ConnectOptions::new(80).host("10.0.0.1");
            let second = net::connect(options.allow_half_open(true));
            second.on(event::Data, |_| {});
            second.on(event::End, move |()| {
                second.end();
            });
            second.write("x");
            timers::set_timeout(ms(100), move || {
                second.end();
            });
            impatient(second);
            closing(second);
        });
    });
}

#[test]
fn a_proxy_of_two_pipes() {
    torture(|| {
        let origin = net::create_server(echo);
        origin.on(event::Error, |_| {});
        origin.listen(("10.0.0.3", 81));
        serve(
            |socket| {
                let upstream = net::connect(("10.0.0.3", 81));
                for (one, other) in [(socket, upstream), (upstream, socket)] {
                    one.on(event::Error, move |_| {
                        other.destroy();
                    });
                    one.on(event::Close, move |_| {
                        other.destroy();
                    });
                    one.pipe(other);
                }
            },
            move |server| {
                let client = net::connect(("10.0.0.1", 80));
                impatient(client);
                client.write(vec![5; 60_000]);
                let got = Cell::new(0);
                client.on(event::Data, move |chunk| {
                    got.set(got.get() + chunk.len());
                    if got.get() == 60_000 {
                        client.end();
                    }
                });
                closing(server, 1)(client);
                client.on(event::Close, move |_| {
                    origin.close();
                });
            },
        );
        // Without the server there is no client, and nobody who closes the origin.
        timers::set_timeout(Duration::from_secs(60), move || {
            origin.close();
        });
    });
}

#[test]
fn a_name_with_several_addresses() {
    torture(|| {
        let server = net::create_server(|socket| {
            socket.on(event::Error, |_| {});
            socket.end_with("hello");
        });
        server.on(event::Error, |_| {});
        server.listen(("10.0.0.3", 80));
        server.once(event::Listening, move |()| {
            let client = net::connect(("many.example", 80));
            client.on(event::Data, |_| {});
            closing(server, 1)(client);
        });
    });
}

#[test]
fn listening_and_accepting_under_limits() {
    let limited = || world().descriptors(9);
    let program = || {
        let server = net::create_server(echo);
        server.on(event::Error, |_| {});
        server.set_max_connections(Some(3));
        server.listen(("10.0.0.1", 80));
        server.once(event::Listening, move |()| {
            let closing = closing(server, 6);
            for number in 0..6 {
                let closing = closing.clone();
                timers::set_timeout(ms(number), move || {
                    let client = net::connect(("10.0.0.1", 80));
                    impatient(client);
                    client.write("x");
                    client.on(event::Data, move |_| {
                        client.end();
                    });
                    closing(client);
                });
            }
        });
    };
    let tortured = sim::torture(limited(), program);
    println!("{} calls, {} runs", tortured.calls, tortured.runs);
    tortured.check();
}

#[test]
fn ipc() {
    torture(|| {
        let server = net::create_server(echo);
        server.on(event::Error, |_| {});
        server.listen(Path::new("/run/app.sock"));
        server.once(event::Listening, move |()| {
            let closing = closing(server, 2);
            for size in [1, 50_000] {
                let client = net::connect(Path::new("/run/app.sock"));
                client.write(vec![1; size]);
                let got = Cell::new(0);
                client.on(event::Data, move |chunk| {
                    got.set(got.get() + chunk.len());
                    if got.get() == size {
                        client.end();
                    }
                });
                closing(client);
            }
        });
    });
}

#[test]
fn frames_with_a_deadline() {
    torture(|| {
        let writer = FrameWriter::new(LengthPrefix::u32_be(), 1 << 16).expect("a limit that fits");
        let reader = || FrameReader::new(LengthPrefix::u32_be(), 1 << 16);
        let echo = writer.clone();
        serve(
            move |socket| {
                let echo = echo.clone();
                socket.on(event::Error, |_| {});
                let frames = socket.frames(reader(), move |frame| {
                    let _too_late = socket.write_frame(&echo, frame);
                });
                frames.deadline(Duration::from_secs(2));
            },
            move |server| {
                let client = net::connect(("10.0.0.1", 80));
                for size in [0, 10, 20_000] {
                    let _too_late = client.write_frame(&writer, vec![3; size]);
                }
                let left = Cell::new(3);
                client.frames(reader(), move |_| {
                    left.set(left.get() - 1);
                    if left.get() == 0 {
                        client.end();
                    }
                });
                closing(server, 1)(client);
                // Half a header, and nothing more.
                let slow = net::connect(("10.0.0.1", 80));
                slow.on(event::Data, |_| {});
                slow.on(event::Error, |_| {});
                slow.write(&[0, 0]);
            },
        );
    });
}

#[test]
fn a_shutdown_with_connections() {
    torture(|| {
        let accepted: Rc<RefCell<Vec<Socket>>> = Rc::default();
        let all = Rc::clone(&accepted);
        serve(
            move |socket| {
                all.borrow_mut().push(socket);
                echo(socket);
            },
            move |server| {
                for _ in 0..3 {
                    let client = net::connect(("10.0.0.1", 80));
                    client.write("x");
                    client.on(event::Data, |_| {});
                    client.on(event::Error, |_| {});
                }
                timers::set_timeout(ms(200), move || {
                    server.close();
                    for socket in accepted.take() {
                        socket.end();
                    }
                });
            },
        );
    });
}

#[test]
fn a_connection_that_is_handed_over() {
    torture(|| {
        let options = ServerOptions::new().pause_on_connect(true);
        let server = net::create_server_with(options, |socket| {
            socket.on(event::Error, |_| {});
            let stream = socket.into_std()?;
            timers::set_timeout(ms(5), move || {
                // Where it cannot be watched it is closed.
                if let Ok(adopted) = Socket::from_std(stream) {
                    echo(adopted);
                    impatient(adopted);
                }
            });
            Ok(())
        });
        server.on(event::Error, |_| {});
        server.listen(("10.0.0.1", 80));
        server.once(event::Listening, move |()| {
            let client = net::connect(("10.0.0.1", 80));
            client.write(vec![7; 50_000]);
            let got = Cell::new(0);
            client.on(event::Data, move |chunk| {
                got.set(got.get() + chunk.len());
                if got.get() == 50_000 {
                    client.end();
                }
            });
            impatient(client);
            closing(server, 1)(client);
        });
    });
}

#[test]
fn connecting_again_in_close() {
    torture(|| {
        serve(
            |socket| {
                socket.on(event::Error, |_| {});
                socket.on(event::Data, move |_| {
                    socket.end_with("bye");
                });
            },
            |server| {
                let tries = Cell::new(0);
                let client = net::connect(("10.0.0.1", 80));
                client.on(event::Data, |_| {});
                client.on(event::Error, |_| {});
                client.on(event::Connect, move |()| {
                    client.write("x");
                });
                client.on(event::Close, move |_| {
                    tries.set(tries.get() + 1);
                    if tries.get() < 4 {
                        client.connect(("10.0.0.1", 80));
                    } else {
                        server.close();
                    }
                });
            },
        );
    });
}

#[test]
fn a_reader_who_pauses_and_a_writer_who_resets() {
    torture(|| {
        serve(
            |socket| {
                socket.on(event::Error, |_| {});
                socket.on(event::Data, move |_| {
                    socket.pause();
                    timers::set_timeout(ms(30), move || {
                        socket.resume();
                    });
                });
            },
            |server| {
                let client = net::connect(("10.0.0.1", 80));
                client.write(vec![3; 300_000]);
                timers::set_timeout(ms(400), move || {
                    let _connecting = client.reset_and_destroy();
                });
                closing(server, 1)(client);
            },
        );
    });
}

/// The end is known when it puts the last bytes back, and is not told before they are read again.
#[test]
fn a_reader_who_puts_back_the_last_bytes() {
    fn read_again(socket: Socket, heard: Rc<RefCell<Vec<u8>>>, times: u32) {
        timers::set_timeout(ms(50), move || {
            let Some(chunk) = socket.read() else { return };
            let (taken, rest) = chunk.split_at(1.min(chunk.len()));
            heard.borrow_mut().extend_from_slice(taken);
            socket.unshift(rest);
            match times {
                0 => {
                    while let Some(chunk) = socket.read() {
                        heard.borrow_mut().extend_from_slice(&chunk);
                    }
                }
                _ => read_again(socket, heard, times - 1),
            }
        });
    }
    torture(|| {
        serve(
            |socket| {
                socket.on(event::Error, |_| {});
                let heard: Rc<RefCell<Vec<u8>>> = Rc::default();
                let all = Rc::clone(&heard);
                socket.on(event::End, move |()| {
                    if *all.borrow() != b"put back" {
                        sim::wrong("it ends before all is read");
                    }
                });
                socket.once(event::Readable, move |()| read_again(socket, heard, 2));
            },
            |server| {
                let client = net::connect(("10.0.0.1", 80));
                client.on(event::Data, |_| {});
                client.end_with("put back");
                closing(server, 1)(client);
                impatient(client);
            },
        );
    });
}

/// More than a socket may read or write before the others have their turn, at once.
#[test]
fn a_flood_that_goes_past_the_budgets() {
    const SIZE: usize = 5 << 20;
    let wide = World::seed(1)
        .leaves_nothing()
        .latency(ms(1)..=ms(20))
        .send_buffer(8 << 20)
        .window(8 << 20);
    let tortured = sim::torture(wide, || {
        serve(
            |socket| {
                socket.on(event::Error, |_| {});
                socket.on(event::Data, |_| {});
                // So that all of it is there.
                socket.pause();
                timers::set_timeout(ms(100), move || {
                    socket.resume();
                });
            },
            |server| {
                let client = net::connect(("10.0.0.1", 80));
                client.on(event::Connect, move |()| {
                    // At no event of the socket's, which would go on by itself.
                    timers::set_immediate(move || {
                        client.end_with(vec![7; SIZE]);
                    });
                });
                client.on(event::Data, |_| {});
                closing(server, 1)(client);
            },
        );
    });
    println!("{} calls, {} runs", tortured.calls, tortured.runs);
    tortured.check();
}
