//! The connections: requests in, replies out.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use soquete::framing::{Flow, FrameError, FrameReader, RespRequests};
use soquete::net::{self, Server, ServerOptions, Socket};
use soquete::{event, timers};

use super::commands::{self, Call};
use super::protocol::{LONGEST_REQUEST, Request};
use super::reply::{Replies, Version};
use super::store::Store;

/// Replies that a client may leave unread before no more of its requests are read. Clients exist
/// that send all they have before they read, so it is generous.
const MOST_UNREAD: usize = 64 * 1024 * 1024;

/// Replies up to this are sent from one buffer that is used again; bigger ones are given away.
const LONGEST_SHARED: usize = 16 * 1024;

/// How often keys that have expired are looked for, and how many are removed at once.
const SWEEP_EVERY: Duration = Duration::from_millis(100);
const MOST_SWEPT: usize = 10_000;

/// What all connections share.
struct Shared {
    store: Store,
    request: Request,
    replies: Replies,
    /// What the clock said when the loop's time was 0, in milliseconds since 1970.
    began: i64,
    connections: u64,
}

/// One connection.
#[derive(Default)]
pub struct Client {
    pub id: u64,
    pub name: String,
    pub database: usize,
    pub version: Version,
    /// The connection ends after the reply to this request.
    pub leaving: bool,
}

/// A server that does not listen yet.
pub fn create() -> Server {
    let shared = Rc::new(RefCell::new(Shared::new()));
    let swept = Rc::downgrade(&shared);
    timers::set_interval(SWEEP_EVERY, move || {
        if let Some(shared) = swept.upgrade() {
            let mut shared = shared.borrow_mut();
            let now = shared.now();
            shared.store.sweep(now, MOST_SWEPT);
        }
    })
    .unref();
    let options = ServerOptions::new().no_delay(true);
    net::create_server_with(options, move |socket| serve(socket, Rc::clone(&shared)))
}

fn serve(socket: Socket, shared: Rc<RefCell<Shared>>) {
    let mut client = shared.borrow_mut().welcome();
    // A connection that breaks is the client's affair. `Close` follows and cleans up.
    socket.on(event::Error, |_| {});
    socket.on(event::Drain, move |()| {
        socket.resume();
    });
    let refusing = Rc::clone(&shared);
    let requests = FrameReader::new(RespRequests::new(), LONGEST_REQUEST);
    let frames = socket.frames(requests, move |frame| {
        let mut shared = shared.borrow_mut();
        shared.answer(&mut client, frame);
        if shared.replies.is_too_long() {
            shared.replies = Replies::default();
            socket.destroy();
            return Flow::Stop;
        }
        if !shared.send(socket) && socket.writable_length() > MOST_UNREAD {
            socket.pause();
        }
        if client.leaving {
            socket.destroy_soon();
            return Flow::Stop;
        }
        Flow::Continue
    });
    // The replies to all requests before it are on their way.
    frames.on_error(move |error| {
        if let FrameError::Malformed { what, .. } = error {
            let mut shared = refusing.borrow_mut();
            shared.replies.error(&format!("ERR Protocol error: {what}"));
            shared.send(socket);
        }
        socket.destroy_soon();
    });
}

impl Shared {
    fn new() -> Shared {
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Shared {
            store: Store::default(),
            request: Request::default(),
            replies: Replies::default(),
            began: milliseconds(clock.saturating_sub(soquete::now())),
            connections: 0,
        }
    }

    fn welcome(&mut self) -> Client {
        self.connections += 1;
        Client {
            id: self.connections,
            ..Client::default()
        }
    }

    fn now(&self) -> i64 {
        self.began + milliseconds(soquete::now())
    }

    fn answer(&mut self, client: &mut Client, frame: &[u8]) {
        let now = self.now();
        let Shared {
            store,
            request,
            replies,
            ..
        } = self;
        replies.set_version(client.version);
        commands::run(Call {
            arguments: request.parse(frame),
            client,
            store,
            replies,
            now,
        });
        if frame.len() > LONGEST_SHARED {
            request.shrink();
        }
    }

    /// Sends the replies. False if many of them have not been read yet.
    fn send(&mut self, socket: Socket) -> bool {
        if self.replies.as_bytes().len() > LONGEST_SHARED {
            return socket.write(self.replies.take());
        }
        let room = socket.write(self.replies.as_bytes());
        self.replies.clear();
        room
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
