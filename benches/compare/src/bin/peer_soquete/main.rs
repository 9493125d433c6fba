//! The servers on soquete: `peer_soquete <mode> [bytes [path]]`.

mod block_list;
mod http;
mod loops;
mod programs;
mod websocket;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::framing::{FrameReader, FrameWriter, LengthPrefix};
use soquete::net::{ListenOptions, Server, ServerOptions, Socket};
use soquete::{event, net, timers};
use soquete_compare::address::Address;
use soquete_compare::peer;

const LONGEST_FRAME: usize = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = peer::Arguments::read();
    let size = arguments.size;
    match arguments.mode.as_str() {
        "echo" => serve(&arguments, echo),
        "pipe" => serve(&arguments, pipe),
        "frames" => serve(&arguments, frames),
        "framing" => serve(&arguments, framing),
        "sink" => serve(&arguments, sink),
        "pieces" => serve(&arguments, pieces),
        "source" => serve(&arguments, {
            let chunk: Rc<[u8]> = vec![peer::FILL; size].into();
            move |socket| source(socket, chunk.clone())
        }),
        "broadcast" => serve(&arguments, {
            let audience = Rc::new(RefCell::new(Vec::new()));
            move |socket| broadcast(socket, &audience)
        }),
        "echo-reuse-port" => loops::that_listen()?,
        "echo-hand-over" => loops::that_are_handed_connections()?,
        "websocket" => serve(&arguments, websocket::echo),
        "http" => listen(http::create()?, &arguments.address),
        "timers" => time_timers(size as u64),
        "programs" => programs::start(std::env::args().skip(2)),
        _ => std::process::exit(2),
    }
    let parent = Socket::from_std(peer::parent()?)?;
    parent.on(event::Close, |_| std::process::exit(0)).resume();
    Ok(soquete::run()?)
}

fn serve(arguments: &peer::Arguments, mut on_connection: impl FnMut(Socket) + 'static) {
    let mode = arguments.mode.as_str();
    // A sink answers after its client's end.
    let options = ServerOptions::new()
        .no_delay(true)
        .allow_half_open(matches!(mode, "sink" | "pieces"));
    // Only the clients of an echo, whose memory is measured, wait for all that they asked for.
    let clients_leave = mode != "echo";
    let server = net::create_server_with(options, move |socket| {
        if clients_leave {
            socket.on(event::Error, |_| {});
        }
        on_connection(socket);
    });
    listen(server, &arguments.address);
}

fn listen(server: Server, address: &Address) {
    server.on(event::Listening, move |()| {
        let Some(address) = server.address() else {
            return;
        };
        match address.path() {
            Some(path) => peer::announce(path.display()),
            None => peer::announce(address.port()),
        }
    });
    let place = match address {
        Address::Port(port) => ListenOptions::new(*port).host("127.0.0.1"),
        Address::Path(path) => ListenOptions::path(path),
    };
    server.listen(place.backlog(peer::BACKLOG));
}

fn echo(socket: Socket) {
    socket.on(event::Data, move |chunk| {
        socket.write(chunk);
    });
    socket.on(event::End, |()| {});
}

fn pipe(socket: Socket) {
    socket.pipe(socket);
}

fn framing(socket: Socket) {
    let Ok(writer) = FrameWriter::new(LengthPrefix::u32_be(), LONGEST_FRAME) else {
        return;
    };
    let reader = FrameReader::new(LengthPrefix::u32_be(), LONGEST_FRAME);
    socket.frames(reader, move |frame| {
        if let Err(error) = socket.write_frame(&writer, frame) {
            socket.destroy_with(error);
        }
    });
}

fn frames(socket: Socket) {
    let mut partial: Vec<u8> = Vec::new();
    socket.on(event::Data, move |chunk| {
        let joined;
        let mut rest: &[u8] = chunk;
        if !partial.is_empty() {
            joined = [partial.as_slice(), chunk].concat();
            rest = &joined;
        }
        while let Some(prefix) = rest.first_chunk() {
            let Some(frame) = rest.get(..4 + u32::from_be_bytes(*prefix) as usize) else {
                break;
            };
            socket.write(frame);
            rest = &rest[frame.len()..];
        }
        partial = rest.to_vec();
    });
}

fn sink(socket: Socket) {
    let received = Rc::new(Cell::new(0_u64));
    let count = received.clone();
    socket.on(event::Data, move |chunk| {
        count.set(count.get() + chunk.len() as u64)
    });
    socket.on(event::End, move |()| {
        socket.end_with(&received.get().to_le_bytes());
    });
}

/// A sink that reads four bytes at a time.
fn pieces(socket: Socket) {
    let received = Rc::new(Cell::new(0_u64));
    let count = received.clone();
    socket.on(event::Readable, move |()| {
        while let Ok(Some(piece)) = socket.read_exactly(4) {
            count.set(count.get() + piece.len() as u64);
        }
    });
    socket.on(event::End, move |()| {
        socket.end_with(&received.get().to_le_bytes());
    });
}

fn source(socket: Socket, chunk: Rc<[u8]>) {
    let fill = move || while socket.write(chunk.clone()) {};
    fill();
    socket.on(event::Drain, move |()| fill());
    socket.resume();
}

fn broadcast(socket: Socket, audience: &Rc<RefCell<Vec<Socket>>>) {
    audience.borrow_mut().push(socket);
    socket.on(event::Data, {
        let audience = audience.clone();
        move |message| {
            let message: Rc<[u8]> = message.into();
            for member in audience.borrow().iter() {
                member.write(message.clone());
            }
        }
    });
    let audience = audience.clone();
    socket.on(event::Close, move |_| {
        audience.borrow_mut().retain(|&member| member != socket)
    });
}

fn time_timers(count: u64) {
    let mut armed = Vec::with_capacity(count as usize);
    let start = Instant::now();
    for index in 0..count {
        let delay = Duration::from_millis(peer::timer_delay_ms(index));
        armed.push(timers::set_timeout(delay, || {}));
    }
    for timeout in &armed {
        timeout.clear();
    }
    println!(
        "TIMERS {}",
        start.elapsed().as_nanos() as f64 / count as f64
    );
}
