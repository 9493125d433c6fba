//! From Node, step by step: a program of forty lines moves over.
//!
//! The names are Node's, in snake_case, and the README has the whole table. What is different is Rust, and seven steps
//! cover it.
//!
//! 1. **The program ends with [`run`](crate::run).** Node runs its loop behind the last line of the script. Here `main`
//!    calls it, and returns what it returns: the error that nobody listened to, if there was one.
//! 2. **An overload is a suffix.** `_with` adds Node's further value, `_then` its callback: `connect_then(place, |socket| …)`,
//!    `end_with(data)`, `set_timeout_then(time, |socket| …)`. Options are a struct with builder methods.
//! 3. **An event is a type.** `'data'` becomes [`event::Data`](crate::event::Data), and its listener takes one parameter,
//!    which is what the event carries: bytes, `()`, a `bool`. `setEncoding('utf8')` is a listener of
//!    [`event::Text`](crate::event::Text).
//! 4. **A listener is a `move` closure.** A [`Socket`](crate::net::Socket) is a handle that is copied into it; no `clone`,
//!    no `Rc`. What is not `Copy` is cloned in front of the closure.
//! 5. **State has a place.** A property of a socket is an [attachment](crate::net::Socket::attach). A variable that several
//!    listeners change is an `Rc<RefCell<…>>`: see [`state`](super::state).
//! 6. **`readline` is a framing.** [`Lines`](crate::framing::Lines) cuts the stream, and needs a limit for the longest line.
//! 7. **A listener may fail.** `?` destroys the connection of that listener, and `Flow::Stop` removes it:
//!    see [`errors`](super::errors).
//!
//! # The program in Node
//!
//! ```js
#![doc = include_str!("../../examples/from_node/chat.mjs")]
//! ```
//!
//! # And here
//!
//! ```no_run
#![doc = include_str!("../../examples/from_node/chat.rs")]
//! ```
//!
//! The map from sockets to nicks has become a list of pairs, since that is what `say` walks along, and the nick of one
//! socket is its attachment. Two clones of the room go into two closures. The rest is the same program line by line.
//!
//! # What five others show
//!
//! `examples/from_node` in the repository has six programs, each beside its original. A test drives both alike.
//!
//! ## A callback that is used twice (`jobs`)
//!
//! A closure that captures an `Rc` can be cloned, and each clone shares what is in it:
//!
//! ```js
//! let over = false;
//! const finish = (how) => {
//!   if (!over) socket.write(`${name} ${how}\n`);
//!   over = true;
//! };
//! const done = setTimeout(finish, ms, 'done');
//! setTimeout(() => {
//!   clearTimeout(done);
//!   finish('timed out');
//! }, LIMIT);
//! ```
//!
//! ```no_run
//! # use soquete::{net, timers};
//! # use std::{cell::Cell, rc::Rc, time::Duration};
//! # const LIMIT: Duration = Duration::from_millis(300);
//! # fn job(socket: net::Socket, name: String, time: Duration) {
//! let over = Rc::new(Cell::new(false));
//! let finish = move |how| {
//!     if !over.replace(true) {
//!         socket.write(format!("{name} {how}\n"));
//!     }
//! };
//! let too_long = finish.clone();
//! let done = timers::set_timeout(time, move || finish("done"));
//! timers::set_timeout(LIMIT, move || {
//!     done.clear();
//!     too_long("timed out");
//! });
//! # }
//! ```
//!
//! ## A listener that is removed by another (`proxy`)
//!
//! Closures have no identity to remove them by. [`add_once_listener`](crate::net::Socket::add_once_listener) returns an
//! id that has:
//!
//! ```js
//! const refused = () => attempt(client, others);
//! upstream.once('error', refused);
//! upstream.once('connect', () => {
//!   upstream.off('error', refused);
//! ```
//!
//! ```no_run
//! # use soquete::{event, net::Socket};
//! # fn attempt(client: Socket, mut upstreams: std::vec::IntoIter<u16>) {
//! # let upstream = client;
//! let refused = upstream.add_once_listener(event::Error, move |_| attempt(client, upstreams));
//! upstream.once(event::Connect, move |()| {
//!     upstream.remove_listener(refused);
//! # });
//! # }
//! ```
//!
//! ## A command's answer (`daemon`)
//!
//! Calls chain where the handle is not needed again:
//!
//! ```js
//! const socket = net.connect(path, () => socket.write(`${command.join(' ')}\n`));
//! socket.setEncoding('utf8');
//! socket.on('data', (text) => process.stdout.write(text));
//! socket.on('error', (error) => {
//!   console.log(error.code);
//!   process.exitCode = 1;
//! });
//! ```
//!
//! ```no_run
//! # use soquete::{event, net};
//! # fn send(path: String, command: String) {
//! net::connect_then(path, move |socket| socket.write(command + "\n"))
//!     .on(event::Text, |text| print!("{text}"))
//!     .on(event::Error, |error| {
//!         println!("{}", error.code());
//!         std::process::exit(1)
//!     });
//! # }
//! ```
//!
//! ## Variables of a module (`scan`)
//!
//! What Node's functions share by being in one file is a struct here, and each callback holds it:
//!
//! ```js
//! const open = [];
//! let next = Number(first);
//! let running = 0;
//! ```
//!
//! ```no_run
//! # #[allow(dead_code)]
//! struct Scan {
//!     host: String,
//!     left: std::ops::RangeInclusive<u16>,
//!     running: usize,
//!     open: Vec<u16>,
//! }
//!
//! # use std::{cell::RefCell, rc::Rc};
//! # #[allow(unused_variables)]
//! fn scan(shared: &Rc<RefCell<Scan>>) {
//! # }
//! ```
//!
//! ## A function that calls itself later (`reconnect`)
//!
//! It is the same here, with what it needs as a parameter:
//!
//! ```js
//! setTimeout(connect, delay);
//! ```
//!
//! ```no_run
//! # use soquete::timers;
//! # use std::{rc::Rc, time::Duration};
//! # struct Client;
//! # fn connect(client: Rc<Client>) {
//! # let delay = 20;
//! timers::set_timeout(Duration::from_millis(delay), || connect(client));
//! # }
//! ```
//!
//! # Other modules of Node
//!
//! | Node | here |
//! |---|---|
//! | `readline` over a socket | [`Lines`](crate::framing::Lines) |
//! | `events` | [`events`](crate::events) |
//! | `worker_threads`, `MessageChannel` | [`threads`](super::threads) |
//! | `cluster` | [`cores`](super::cores) |
//! | `process.stdin`, `dgram` | [`watch`](crate::watch()) |
//! | the packages `ws`, `redis`, `mqtt-packet` | [`WebSocket`](crate::framing::WebSocket), [`Resp`](crate::framing::Resp), [`Mqtt`](crate::framing::Mqtt) |
//! | `fs` | `std::fs`, in [`queue_work`](crate::queue_work) where it may take long |
//! | `tls` | not in the crate: the repository's `examples/tls` joins rustls to a socket |
//! | `http` | messages by the format [`Http`](crate::framing::Http); a server in the repository's `examples/http_server` |
//!
//! # Three surprises
//!
//! * A number that two closures capture is two numbers, and it compiles.
//! * `net::connect("example.org")` is to a path, as in Node: a host needs a port.
//! * An `async` block is refused, since nobody would poll it. What blocks goes to [`queue_work`](crate::queue_work).
