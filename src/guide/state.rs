//! State that listeners share, and the calls that run listeners before they return.
//!
//! # Where state lives
//!
//! Listeners are `move` closures. A handle that one captures is a copy that names the same socket; a number that
//! one captures is a copy that counts for itself. Two closures with a captured `let mut n = 0` compile, and each
//! has an `n` of its own.
//!
//! | state of | lives in | goes |
//! |---|---|---|
//! | one listener | a variable that it captures, `mut` if need be | with the listener |
//! | one connection | an [attachment](crate::net::Socket::attach) | after `Close` |
//! | all connections of a loop | an `Rc` of `Cell`s and `RefCell`s | with the last closure that holds it |
//! | several loops | a [`channel`](crate::channel) to the one that owns it, an `Arc` otherwise | |
//!
//! A room with members shows the middle two:
//!
//! ```
//! use soquete::event;
//! use soquete::net::{self, Socket};
//! use std::cell::{Cell, RefCell};
//! use std::rc::Rc;
//!
//! /// What one connection has.
//! struct Member {
//!     lines: Cell<u32>,
//! }
//!
//! # fn main() -> soquete::Result<()> {
//! // All of them share it.
//! let room = Rc::new(RefCell::new(Vec::<Socket>::new()));
//! let server = net::create_server(move |socket| {
//!     socket.on(event::Error, |error| eprintln!("{error}"));
//!     socket.attach(Member { lines: Cell::new(0) });
//!     room.borrow_mut().push(socket);
//!     let members = Rc::clone(&room);
//!     socket.on(event::Text, move |text| {
//!         let member = socket.attachment::<Member>()?;
//!         member.lines.set(member.lines.get() + 1);
//!         // `write` runs no listener, so that the borrow may last.
//!         for other in members.borrow().iter() {
//!             other.write(text);
//!         }
//!         Some(())
//!     });
//!     let members = Rc::clone(&room);
//!     socket.on(event::Close, move |_| {
//!         members.borrow_mut().retain(|member| *member != socket);
//!         let member = socket.attachment::<Member>()?;
//!         println!("gone after {} lines", member.lines.get());
//!         # assert_eq!(member.lines.get(), 1);
//!         Some(())
//!     });
//! });
//! server.listen_then(0, |server| {
//!     let client = net::connect(server.address().unwrap());
//!     client.on(event::Text, move |text| {
//!         assert_eq!(text, "hello\n");
//!         client.end();
//!         server.close();
//!     });
//!     client.write("hello\n");
//! });
//! soquete::run()
//! # }
//! ```
//!
//! (For a room alone, [`Group`](crate::net::Group) is shorter: members leave it by themselves.)
//!
//! `attachment` is `None` where nothing of that type was attached, and of a socket that has closed. A listener may
//! return an `Option`, so `?` ends it there.
//!
//! # The calls that run listeners
//!
//! A borrow of a `RefCell` has to end before a call that runs listeners, which may want to borrow it, too: a second
//! borrow panics. These calls run listeners before they return. No other does:
//!
//! | call | runs |
//! |---|---|
//! | `pause` | the listeners of `Pause` |
//! | `pipe`; `unpipe`, `unpipe_all` | `Pipe`; `Pause`, `Unpipe` |
//! | `read`; `unshift` while the socket flows | `Data` |
//! | `emit`, `try_emit`; `abort` | those of the event; of `on_abort` |
//! | `connect` to a path, or of a bound socket to an IP address | `ConnectionAttempt` |
//! | `connect` with a `lookup` of one's own | that function; if it answers at once, `Lookup` and `ConnectionAttempt` |
//! | `end`, `destroy_soon` of a socket that never connected | `Prefinish` |
//! | adding a listener to an [`EventEmitter`](crate::events::EventEmitter), and removing one | `NewListener`, `RemoveListener` |
//!
//! So `write`, `destroy`, `resume`, `close`, `listen`, `uncork` and `on` run none, however much follows from them, and
//! neither does `end` of a socket that connects or has connected. It follows when the callback at hand has returned. A
//! destructor is code that runs, too: end the borrow before dropping a value whose `Drop` borrows.
//!
//! Where a call of the table is needed inside of a loop over shared state, copy the handles out first:
//!
//! ```
//! # use soquete::net::Socket;
//! # use std::cell::RefCell;
//! fn pause_all(members: &RefCell<Vec<Socket>>) {
//!     let members = members.borrow().clone();
//!     for member in members {
//!         member.pause();
//!     }
//! }
//! # pause_all(&RefCell::default());
//! ```
