//! Programs that a seed draws, or a fuzzer's bytes: servers, clients, and what they do to each other.
//!
//! Each end of each connection sends a stream of its own, of which every byte is known, and checks what it gets
//! of the other's. What is wrong is told by [`wrong`].

#![allow(dead_code, reason = "each user takes a part")]

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{FrameReader, FrameWriter, LengthPrefix};
use soquete::net::{self, ConnectOptions, ServerOptions, Socket};
use soquete::{event, timers};

/// Where a program's decisions come from.
#[derive(Clone)]
pub struct Draw {
    next: Rc<dyn Fn() -> u64>,
    seed: u64,
    is_calm: bool,
}

/// Where a program's server and clients are.
#[derive(Clone, Debug)]
pub struct Place {
    pub server: String,
    pub port: u16,
    pub client: String,
    pub path: PathBuf,
}

impl Place {
    /// In a world that has all addresses.
    pub fn of_a_world() -> Place {
        Place {
            server: "10.0.0.1".into(),
            port: 80,
            client: "10.0.0.2".into(),
            path: "/run/drawn.sock".into(),
        }
    }
}

impl Draw {
    pub fn seed(seed: u64) -> Draw {
        let state = Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let next = move || {
            let mut x = state.get();
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            state.set(x);
            x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
        };
        Draw {
            next: Rc::new(next),
            seed,
            is_calm: false,
        }
    }

    /// Only ends in order, and each end's decisions its own: what is seen does not depend on when it comes.
    pub fn calm(mut self) -> Draw {
        self.is_calm = true;
        self
    }

    /// For one end, if each has its own.
    fn of_one(&self, number: u64) -> Draw {
        match self.is_calm {
            true => {
                let of_program = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                Draw::seed(of_program ^ (number + 1)).calm()
            }
            false => self.clone(),
        }
    }

    /// A byte each, and zeros when there are none left.
    pub fn bytes(bytes: &[u8]) -> Draw {
        let (bytes, at) = (bytes.to_vec(), Cell::new(0));
        let next = move || {
            let byte = bytes.get(at.get()).copied().unwrap_or(0);
            at.set(at.get() + 1);
            u64::from(byte) * 0x0101_0101_0101
        };
        Draw {
            next: Rc::new(next),
            seed: 0,
            is_calm: false,
        }
    }

    pub fn below(&self, n: u64) -> u64 {
        (self.next)() % n.max(1)
    }

    pub fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn ms(&self, below: u64) -> Duration {
        Duration::from_millis(self.below(below))
    }
}

thread_local! {
    static WRONG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

pub fn wrong(what: String) {
    WRONG.with_borrow_mut(|wrong| wrong.push(what));
}

/// What was wrong since the last time.
pub fn wrongs() -> Vec<String> {
    WRONG.take()
}

/// The bytes of a stream are 64 KiB, and again; this is what makes them its own.
fn of_stream(stream: u64) -> u8 {
    stream.wrapping_mul(7) as u8
}

/// What the streams have in common.
static TABLE: [u8; 1 << 16] = {
    let mut table = [0; 1 << 16];
    let mut at = 0;
    while at < table.len() {
        table[at] = (at.wrapping_mul(31) ^ at >> 8) as u8;
        at += 1;
    }
    table
};

/// The pattern from a place on, up to where it begins again.
fn common(at: u64) -> &'static [u8] {
    &TABLE[at as usize % TABLE.len()..]
}

/// One end: what it sends, and what it has seen of the other.
pub struct End {
    stream: u64,
    other: u64,
    sent: Cell<u64>,
    pub seen: Cell<u64>,
    pub ended: Cell<bool>,
    pub errors: Cell<u32>,
    pub closed: Cell<u32>,
    finished: Cell<bool>,
}

impl End {
    fn new(connection: u64, is_server: bool) -> Rc<End> {
        let side = u64::from(is_server);
        Rc::new(End {
            stream: connection * 2 + side,
            other: connection * 2 + 1 - side,
            sent: Cell::new(0),
            seen: Cell::new(0),
            ended: Cell::new(false),
            errors: Cell::new(0),
            closed: Cell::new(0),
            finished: Cell::new(false),
        })
    }

    /// Which end it is, and what it has come to: bytes seen, whether it ended, errors, `Close`s.
    pub fn lane(&self) -> (u64, (u64, bool, u32, u32)) {
        let lane = (
            self.seen.get(),
            self.ended.get(),
            self.errors.get(),
            self.closed.get(),
        );
        (self.stream, lane)
    }

    fn take(&self, chunk: &[u8]) {
        if self.ended.get() {
            wrong(format!("stream {}: data after the end", self.other));
        }
        let of_stream = of_stream(self.other);
        let mut rest = chunk;
        while !rest.is_empty() {
            let from = self.seen.get();
            let common = common(from);
            let (part, behind) = rest.split_at(rest.len().min(common.len()));
            let differs = |(a, b): (&u8, &u8)| a ^ of_stream ^ b;
            // Without a branch for each byte.
            if part
                .iter()
                .zip(common)
                .map(differs)
                .fold(0, |all, one| all | one)
                != 0
            {
                let at = part.iter().zip(common).position(|pair| differs(pair) != 0);
                let at = from + at.unwrap_or(0) as u64;
                wrong(format!("stream {}: byte {at} is wrong", self.other));
            }
            self.seen.set(from + part.len() as u64);
            rest = behind;
        }
    }

    fn next(&self, len: u64) -> Vec<u8> {
        let from = self.sent.get();
        self.sent.set(from + len);
        let mut bytes = Vec::with_capacity(len as usize);
        while bytes.len() < len as usize {
            let common = common(from + bytes.len() as u64);
            let count = common.len().min(len as usize - bytes.len());
            let of_stream = of_stream(self.stream);
            bytes.extend(common[..count].iter().map(|byte| byte ^ of_stream));
        }
        bytes
    }
}

/// Makes a socket take part: it reads in one of several ways, writes so often, and ends in one of several.
fn conduct(socket: Socket, draw: &Draw, me: &Rc<End>, writes: u64) {
    let end = Rc::clone(me);
    match draw.below(7) {
        0 => {
            let draw = draw.of_one(writes);
            socket.on(event::Readable, move |()| {
                read_twice(socket, draw.clone(), Rc::clone(&end));
            });
        }
        1 => {
            let size = 1 + draw.below(5000) as usize;
            socket.on(event::Readable, move |()| {
                while let Some(chunk) = read(socket, size) {
                    end.take(&chunk);
                }
            });
        }
        2 | 3 => {
            let draw = draw.of_one(writes);
            socket.on(event::Data, move |chunk| {
                end.take(chunk);
                if draw.one_in(4) {
                    socket.pause();
                    timers::set_timeout(draw.ms(20), move || {
                        socket.resume();
                    });
                }
            });
        }
        _ => {
            socket.on(event::Data, move |chunk| end.take(chunk));
        }
    }
    let end = Rc::clone(me);
    socket.on(event::End, move |()| {
        if end.ended.replace(true) {
            wrong(String::from("a second end"));
        }
    });
    let end = Rc::clone(me);
    socket.on(event::Error, move |_| end.errors.set(end.errors.get() + 1));
    let end = Rc::clone(me);
    socket.on(event::Finish, move |()| end.finished.set(true));
    let end = Rc::clone(me);
    socket.on(event::Close, move |_| end.closed.set(end.closed.get() + 1));
    send(socket, draw.clone(), Rc::clone(me), writes);
}

/// Writes, and goes on now, later, or when there is room.
fn send(socket: Socket, draw: Draw, me: Rc<End>, left: u64) {
    if left == 0 {
        match draw.below(12) + if draw.is_calm { 3 } else { 0 } {
            0 => drop(socket.destroy()),
            1 => drop(socket.reset_and_destroy()),
            2 => drop(socket.destroy_soon()),
            _ => drop(socket.end()),
        }
        return;
    }
    let len = 1 + match draw.below(4) {
        0 => draw.below(8),
        1 if draw.one_in(8) => draw.below(200_000),
        1 => draw.below(30_000),
        _ => draw.below(3_000),
    };
    let bytes = me.next(len);
    let called = Rc::new(Cell::new(false));
    let has_room = match draw.one_in(3) {
        true => socket.write_then(bytes, move |_| {
            if called.replace(true) {
                wrong(String::from("a callback of a write is called twice"));
            }
        }),
        false => socket.write(bytes),
    };
    // Drawn in any case: whether there is room is the kernel's affair.
    let (how, delay) = (draw.below(3), draw.ms(15));
    match (has_room, how) {
        (false, _) => {
            socket.once(event::Drain, move |()| send(socket, draw, me, left - 1));
        }
        (true, 0) => send(socket, draw, me, left - 1),
        (true, 1) => {
            timers::set_immediate(move || send(socket, draw, me, left - 1));
        }
        (true, _) => {
            let (mut draw, mut me) = (Some(draw), Some(me));
            timers::set_timeout(delay, move || {
                if let (Some(draw), Some(me)) = (draw.take(), me.take()) {
                    send(socket, draw, me, left - 1);
                }
            });
        }
    }
}

/// What a server does with its connections.
#[derive(Clone, Copy, PartialEq)]
enum Service {
    /// Sends a stream of its own.
    Own,
    /// Sends back what it gets.
    Echo,
    /// Pipes it back.
    Pipe,
    /// Sends back frames.
    Frames,
}

/// The first of the clients' ports, which the connections are known by.
const FIRST_PORT: u64 = 20_000;

/// A server and its clients, over TCP or IPC, in a world.
pub fn program(draw: &Draw) -> Rc<RefCell<Vec<Rc<End>>>> {
    program_at(draw, &Place::of_a_world())
}

/// A server and its clients, over TCP or IPC.
pub fn program_at(draw: &Draw, place: &Place) -> Rc<RefCell<Vec<Rc<End>>>> {
    let _old = wrongs();
    let ends: Rc<RefCell<Vec<Rc<End>>>> = Rc::default();
    let clients = match draw.one_in(40) {
        true => 80,
        false => 1 + draw.below(5),
    };
    let service = match draw.below(8) {
        0 => Service::Echo,
        1 => Service::Pipe,
        2 => Service::Frames,
        _ => Service::Own,
    };
    let is_ipc = service != Service::Own && draw.one_in(4);
    // An end that follows the other's would cut off what this one was going to write.
    let both_end = draw.is_calm && service == Service::Own;
    let half = match draw.is_calm {
        true => both_end,
        false => draw.one_in(3),
    };
    let (d, all) = (draw.clone(), Rc::clone(&ends));
    let server =
        net::create_server_with(ServerOptions::new().allow_half_open(half), move |socket| {
            serve(socket, &d, service, half, &all)
        });
    server.on(event::Error, |_| {});
    match is_ipc {
        true => server.listen(place.path.clone()),
        false => server.listen((&*place.server, place.port)),
    };
    let place = place.clone();
    let (draw, all) = (draw.clone(), Rc::clone(&ends));
    server.on(event::Listening, move |()| {
        let open = Rc::new(Cell::new(clients));
        for number in 0..clients {
            let client = match is_ipc {
                true => net::connect(place.path.clone()),
                false => {
                    let port = match server.address() {
                        Some(net::Address::Tcp(address)) => address.port(),
                        _ => place.port,
                    };
                    let from = place.client.clone();
                    net::connect(
                        ConnectOptions::new(port)
                            .allow_half_open(both_end)
                            .host(place.server.clone())
                            .local_address(from)
                            .local_port((FIRST_PORT + number) as u16),
                    )
                }
            };
            client.set_timeout(Duration::from_secs(60));
            client.on(event::Timeout, move |()| {
                client.destroy();
            });
            let me = match service {
                Service::Own => End::new(FIRST_PORT + number, false),
                // What comes back is what was sent.
                _ => {
                    let mut me = End::new(number, false);
                    if let Some(me) = Rc::get_mut(&mut me) {
                        me.other = me.stream;
                    }
                    me
                }
            };
            all.borrow_mut().push(Rc::clone(&me));
            let draw = draw.of_one(number);
            match service {
                Service::Frames => exchange_frames(client, &draw, &me),
                _ => conduct(client, &draw, &me, draw.below(12)),
            }
            let open = Rc::clone(&open);
            client.on(event::Close, move |_| {
                if me.closed.get() != 1 {
                    wrong(format!("closed {} times", me.closed.get()));
                }
                open.set(open.get() - 1);
                if open.get() == 0 {
                    server.close();
                }
            });
        }
    });
    ends
}

fn serve(socket: Socket, draw: &Draw, service: Service, half: bool, ends: &RefCell<Vec<Rc<End>>>) {
    match service {
        Service::Own => {
            let Some(port) = socket.remote_port() else {
                socket.on(event::Error, |_| {});
                return;
            };
            let me = End::new(u64::from(port), true);
            ends.borrow_mut().push(Rc::clone(&me));
            let draw = &draw.of_one(u64::from(port));
            conduct(socket, draw, &me, draw.below(8));
        }
        Service::Echo => {
            socket.on(event::Error, |_| {});
            socket.on(event::Data, move |chunk| {
                if !socket.write(chunk) {
                    socket.pause();
                    socket.once(event::Drain, move |()| {
                        socket.resume();
                    });
                }
            });
        }
        Service::Pipe => {
            socket.on(event::Error, |_| {});
            socket.pipe(socket);
        }
        Service::Frames => {
            socket.on(event::Error, |_| {});
            let writer =
                FrameWriter::new(LengthPrefix::u32_be(), 1 << 20).expect("a limit that fits");
            let reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 20);
            let draw = draw.clone();
            socket.frames(reader, move |frame| {
                let _too_late = socket.write_frame(&writer, frame);
                if draw.one_in(16) {
                    socket.pause();
                    timers::set_timeout(draw.ms(9), move || {
                        socket.resume();
                    });
                }
            });
        }
    }
    if half && service != Service::Own {
        socket.on(event::End, move |()| {
            socket.end();
        });
    }
    if half || draw.one_in(3) {
        socket.set_timeout(Duration::from_secs(30));
        socket.on(event::Timeout, move |()| {
            socket.destroy();
        });
    }
}

/// Frames of several sizes, one after the other as they come back.
fn exchange_frames(client: Socket, draw: &Draw, me: &Rc<End>) {
    let writer = FrameWriter::new(LengthPrefix::u32_be(), 1 << 20).expect("a limit that fits");
    let reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 20);
    let frames = 1 + draw.below(10);
    let at_once = 1 + draw.below(frames);
    let (end, d, w) = (Rc::clone(me), draw.clone(), writer.clone());
    let send = move |end: &End| {
        let frame = end.next(d.below(4000));
        let _too_late = client.write_frame(&w, &frame);
    };
    for _ in 0..at_once {
        send(&end);
    }
    let seen = Cell::new(0);
    let next = Rc::clone(me);
    client.frames(reader, move |frame| {
        next.take(frame);
        seen.set(seen.get() + 1);
        if seen.get() == frames {
            client.end();
        } else if seen.get() + at_once <= frames {
            send(&next);
        }
    });
    let end = Rc::clone(me);
    client.on(event::Error, move |_| end.errors.set(end.errors.get() + 1));
    let end = Rc::clone(me);
    client.on(event::Close, move |_| end.closed.set(end.closed.get() + 1));
}

/// Reads what there is. Now and then it puts some back, and comes again for it.
fn read_twice(socket: Socket, draw: Draw, me: Rc<End>) {
    while let Some(chunk) = socket.read() {
        // Bytes that are used up draw 0 for ever.
        if draw.below(6) != 5 {
            me.take(&chunk);
            continue;
        }
        let (taken, rest) = chunk.split_at(draw.below(chunk.len() as u64) as usize);
        me.take(taken);
        socket.unshift(rest);
        timers::set_immediate(move || read_twice(socket, draw, me));
        return;
    }
}

/// So many bytes, or what there is if that is less.
fn read(socket: Socket, size: usize) -> Option<Vec<u8>> {
    let exactly = socket.read_exactly(size).ok()?;
    exactly.or_else(|| socket.read())
}
