//! What the programs of Node's benchmark/net do, as `peers/programs.mjs` does it:
//! `peer_soquete programs <program> <ms to warm up> <ms to measure> <parameters>`.

use std::cell::Cell;
use std::error::Error;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::net::{ConnectOptions, ListenOptions, Socket};
use soquete::{event, net, timers};

use super::block_list;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Sets a server and its client to work.
type Program = Rc<dyn Fn(&Rc<Course>)>;

/// Gets the figure.
type Then = Box<dyn FnOnce(f64)>;

/// Says `RATES` and the figures, or what is wrong, now or from the loop.
pub fn start(words: impl Iterator<Item = String>) {
    if let Err(error) = try_start(&words.collect::<Vec<_>>()) {
        println!("{error}");
    }
}

fn try_start(words: &[String]) -> Outcome<()> {
    let [program, warm_up, measure, parameters @ ..] = words else {
        return Err("a program and two times are needed".into());
    };
    let milliseconds = |word: &String| word.parse().map(Duration::from_millis);
    let times = [milliseconds(warm_up)?, milliseconds(measure)?];
    if program == "net-blocklist" {
        let rates = block_list::rates(times, parameters)?;
        let rates: Vec<String> = rates.iter().map(f64::to_string).collect();
        println!("RATES {}", rates.join(" "));
        return Ok(());
    }
    let [length, kind, more @ ..] = parameters else {
        return Err("a length and a type are needed".into());
    };
    let chunk = Chunk::new(length.parse()?, kind)?;
    let program: Program = match program.as_str() {
        "net-c2s" => Rc::new(client_to_server),
        "net-s2c" => match more {
            [size, _] if size == "0" => Rc::new(server_to_client),
            [size, in_turn] => {
                let buffers = Buffers::new(size.parse()?, in_turn.parse()?);
                Rc::new(move |course| server_to_client_by_on_read(course, buffers))
            }
            _ => {
                return Err("the size of a buffer is needed, and whether there are several".into());
            }
        },
        "net-pipe" => Rc::new(there_and_back),
        "net-c2s-cork" => Rc::new(client_to_server_corked),
        _ => return Err(format!("no program {program}").into()),
    };
    // Once to warm up, and once more.
    let [warm_up, measure] = times;
    let then = {
        let (program, chunk) = (program.clone(), chunk.clone());
        move |_| run(&program, &chunk, measure, |rate| println!("RATES {rate}"))
    };
    run(&program, &chunk, warm_up, then);
    Ok(())
}

fn run(program: &Program, chunk: &Chunk, time: Duration, then: impl FnOnce(f64) + 'static) {
    program(&Rc::new(Course {
        chunk: chunk.clone(),
        time,
        started: Cell::new(Instant::now()),
        is_over: Cell::new(false),
        written: Cell::new(0),
        received: Cell::new(0),
        then: Cell::new(Some(Box::new(then))),
    }));
}

/// What is written again and again.
#[derive(Clone)]
enum Chunk {
    /// A buffer, of which a queue keeps a share, as Node's does.
    Shared(Rc<[u8]>),
    /// What Node encodes at each write is UTF-8 already, and is lent to each.
    Text(Rc<str>),
}

impl Chunk {
    fn new(length: usize, kind: &str) -> Outcome<Self> {
        match kind {
            "buf" => Ok(Self::Shared(vec![b'x'; length].into())),
            "asc" => Ok(Self::Text("x".repeat(length).into())),
            // Two bytes each.
            "utf" => Ok(Self::Text("ü".repeat(length / 2).into())),
            _ => Err(format!("no type {kind}").into()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Shared(bytes) => bytes.len(),
            Self::Text(text) => text.len(),
        }
    }
}

/// One connection's bytes: what is written of them, and what has arrived.
struct Course {
    chunk: Chunk,
    time: Duration,
    started: Cell<Instant>,
    is_over: Cell<bool>,
    written: Cell<usize>,
    received: Cell<usize>,
    then: Cell<Option<Then>>,
}

impl Course {
    fn start(self: &Rc<Self>) {
        self.started.set(Instant::now());
        let course = self.clone();
        timers::set_timeout(self.time, move || course.is_over.set(true));
    }

    fn write(&self, socket: Socket) -> bool {
        self.written.set(self.written.get() + self.chunk.len());
        match &self.chunk {
            Chunk::Shared(bytes) => socket.write(bytes),
            Chunk::Text(text) => socket.write(&**text),
        }
    }

    /// Writes to a socket whenever it takes more, until the time is over.
    fn pour(self: Rc<Self>, socket: Socket) {
        if self.is_over.get() {
            socket.end();
        } else if self.write(socket) {
            timers::next_tick(move || self.pour(socket));
        } else {
            socket.once(event::Drain, move |()| self.pour(socket));
        }
    }

    fn receive(&self, count: usize) {
        self.received.set(self.received.get() + count);
    }

    /// Counts what a socket receives, until its end.
    fn sink(self: &Rc<Self>, socket: Socket, ways: Ways) {
        socket.pipe_to_writer(Sink(self.clone()));
        self.finish_after(socket, ways);
    }

    fn finish_after(self: &Rc<Self>, socket: Socket, ways: Ways) {
        let course = self.clone();
        socket.on(event::End, move |()| course.finish(ways));
    }

    fn finish(&self, Ways(ways): Ways) {
        let seconds = self.started.get().elapsed().as_secs_f64();
        let (received, written) = (self.received.get(), self.written.get());
        if received != written {
            println!("{received} bytes of {written} arrived");
        } else if let Some(then) = self.then.take() {
            then(ways * received as f64 * 8.0 / f64::from(1 << 30) / seconds);
        }
    }
}

/// How often each byte that arrives has been on its way: twice where it comes back.
#[derive(Clone, Copy)]
struct Ways(f64);

/// What a socket is piped to.
struct Sink(Rc<Course>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.receive(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `on_read` reads into: one buffer, or three in turn.
#[derive(Clone, Copy)]
struct Buffers {
    size: usize,
    spare: usize,
}

impl Buffers {
    fn new(size: usize, in_turn: bool) -> Self {
        let spare = if in_turn { 2 } else { 0 };
        Self { size, spare }
    }
}

fn complain(error: &soquete::Error) {
    println!("{error}");
}

/// A server and its client, which is connected when it is handed over. `prepare` has the last word on how it connects.
fn connect(
    course: &Rc<Course>,
    on_connection: impl Fn(Socket) + 'static,
    prepare: impl FnOnce(ConnectOptions) -> ConnectOptions + 'static,
    on_connect: impl FnOnce(Socket) + 'static,
) {
    let server = net::create_server(move |socket| {
        socket.on(event::Error, complain);
        on_connection(socket);
    });
    let course = course.clone();
    server.once(event::Listening, move |()| {
        let Some(address) = server.address() else {
            return;
        };
        let place = ConnectOptions::new(address.port()).host("127.0.0.1");
        let socket = net::connect(prepare(place));
        socket.on(event::Error, complain);
        socket.once(event::Connect, move |()| {
            course.start();
            on_connect(socket);
        });
    });
    // No other comes.
    server.once(event::Connection, move |_| {
        server.close();
    });
    server.listen(ListenOptions::new(0).host("127.0.0.1"));
}

fn as_it_is(options: ConnectOptions) -> ConnectOptions {
    options
}

fn client_to_server(course: &Rc<Course>) {
    let (sink, source) = (course.clone(), course.clone());
    let on_connection = move |socket| sink.sink(socket, Ways(1.0));
    connect(course, on_connection, as_it_is, |socket| {
        source.pour(socket)
    });
}

fn server_to_client(course: &Rc<Course>) {
    let (source, sink) = (course.clone(), course.clone());
    let on_connection = move |socket| source.clone().pour(socket);
    connect(course, on_connection, as_it_is, move |socket| {
        sink.sink(socket, Ways(1.0))
    });
}

fn server_to_client_by_on_read(course: &Rc<Course>, buffers: Buffers) {
    let (source, sink, end) = (course.clone(), course.clone(), course.clone());
    let mut spare = vec![vec![0; buffers.size]; buffers.spare];
    let mut turn = 0;
    let prepare = move |options: ConnectOptions| {
        options.on_read(vec![0; buffers.size], move |_, count, buffer| {
            sink.receive(count);
            if let Some(next) = spare.get_mut(turn) {
                std::mem::swap(next, buffer);
                turn = (turn + 1) % spare.len();
            }
        })
    };
    let on_connection = move |socket| source.clone().pour(socket);
    connect(course, on_connection, prepare, move |socket| {
        end.finish_after(socket, Ways(1.0))
    });
}

fn there_and_back(course: &Rc<Course>) {
    let (source, sink) = (course.clone(), course.clone());
    let on_connection = |socket: Socket| {
        socket.pipe(socket);
    };
    connect(course, on_connection, as_it_is, move |socket| {
        source.pour(socket);
        sink.sink(socket, Ways(2.0));
    });
}

fn client_to_server_corked(course: &Rc<Course>) {
    let (sink, source) = (course.clone(), course.clone());
    let on_connection = move |socket| sink.sink(socket, Ways(1.0));
    connect(course, on_connection, as_it_is, move |socket| {
        let send = move || {
            if source.is_over.get() {
                socket.end();
                return;
            }
            socket.cork();
            while source.write(socket) {}
            socket.uncork();
        };
        send();
        socket.on(event::Drain, move |()| send());
    });
}
