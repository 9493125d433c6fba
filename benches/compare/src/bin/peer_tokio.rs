//! The servers on tokio's current-thread runtime, and one on its threads: `peer_tokio <mode> [bytes [path]]`.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt, StreamExt};
use soquete_compare::address::Address;
use soquete_compare::peer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Builder;
use tokio::sync::broadcast;
use tokio_util::codec::{Framed, LengthDelimitedCodec};
use tokio_util::time::DelayQueue;

const LONGEST_FRAME: usize = 1 << 20;
const READ_BUFFER: usize = 64 * 1024;

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

fn main() -> io::Result<()> {
    let arguments = peer::Arguments::read();
    let runtime = match arguments.mode.as_str() {
        "echo-threads" => Builder::new_multi_thread()
            .worker_threads(peer::LOOPS)
            .enable_all()
            .build()?,
        _ => Builder::new_current_thread().enable_all().build()?,
    };
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: peer::Arguments) -> io::Result<()> {
    let peer::Arguments {
        mode,
        size,
        address,
    } = arguments;
    if mode == "timers" {
        return timers(size as u64);
    }
    let (socket, address) = peer::listen(&address)?;
    let listener = match address {
        Address::Port(_) => Listener::Tcp(TcpListener::from_std(socket.into())?),
        Address::Path(_) => Listener::Unix(UnixListener::from_std(socket.into())?),
    };
    let mut parent = UnixStream::from_std(peer::parent()?)?;
    tokio::spawn(async move {
        // Its end, however that comes, is the end of this.
        let _ = parent.read(&mut [0]).await;
        std::process::exit(0);
    });
    peer::announce(address);
    let chunk = Bytes::from(vec![peer::FILL; size]);
    let (messages, _) = broadcast::channel(16);
    loop {
        // Without a descriptor for it, a connection waits until another has gone.
        let Ok(stream) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        // A client that is gone ends its task with an error, which is no one's concern.
        match mode.as_str() {
            "echo" | "echo-threads" => drop(tokio::spawn(echo(stream))),
            "pipe" => drop(tokio::spawn(pipe(stream))),
            "frames" => drop(tokio::spawn(frames(stream))),
            "frames-buffered" => drop(tokio::spawn(frames_buffered(stream))),
            "frames-framed" => drop(tokio::spawn(frames_framed(stream))),
            "sink" => drop(tokio::spawn(sink(stream))),
            "source" => drop(tokio::spawn(source(stream, chunk.clone()))),
            "broadcast" => drop(tokio::spawn(relay(stream, messages.clone()))),
            _ => return Err(io::Error::other("unknown mode")),
        }
    }
}

impl Listener {
    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }
            // What is done with either is the same, by the same system calls.
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                TcpStream::from_std(OwnedFd::from(stream.into_std()?).into())
            }
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    // The size in the example that opens tokio's own documentation.
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

async fn pipe(mut stream: TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = stream.split();
    tokio::io::copy(&mut reader, &mut writer).await?;
    writer.shutdown().await
}

async fn frames(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(READ_BUFFER);
    while stream.read_buf(&mut buffer).await? > 0 {
        while let Some(prefix) = buffer.first_chunk() {
            let length = 4 + u32::from_be_bytes(*prefix) as usize;
            if buffer.len() < length {
                break;
            }
            stream.write_all(&buffer[..length]).await?;
            buffer.advance(length);
        }
        buffer.reserve(READ_BUFFER);
    }
    Ok(())
}

/// The answers to one read, gathered in a `BufWriter` and flushed together.
async fn frames_buffered(mut stream: TcpStream) -> io::Result<()> {
    let (mut reader, writer) = stream.split();
    let mut writer = BufWriter::new(writer);
    let mut buffer = BytesMut::with_capacity(READ_BUFFER);
    while reader.read_buf(&mut buffer).await? > 0 {
        while let Some(prefix) = buffer.first_chunk() {
            let length = 4 + u32::from_be_bytes(*prefix) as usize;
            if buffer.len() < length {
                break;
            }
            writer.write_all(&buffer[..length]).await?;
            buffer.advance(length);
        }
        writer.flush().await?;
        buffer.reserve(READ_BUFFER);
    }
    Ok(())
}

/// tokio-util's codec, whose sink is flushed when no further frame is there.
async fn frames_framed(stream: TcpStream) -> io::Result<()> {
    let codec = LengthDelimitedCodec::builder()
        .length_field_type::<u32>()
        .max_frame_length(LONGEST_FRAME)
        .new_codec();
    let (mut sink, mut stream) = Framed::new(stream, codec).split();
    while let Some(frame) = stream.next().await {
        sink.feed(frame?.freeze()).await?;
        while let Some(Some(frame)) = stream.next().now_or_never() {
            sink.feed(frame?.freeze()).await?;
        }
        sink.flush().await?;
    }
    Ok(())
}

async fn sink(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; READ_BUFFER];
    let mut received = 0_u64;
    loop {
        match stream.read(&mut buffer).await? {
            0 => return stream.write_all(&received.to_le_bytes()).await,
            count => received += count as u64,
        }
    }
}

async fn source(mut stream: TcpStream, chunk: Bytes) -> io::Result<()> {
    loop {
        stream.write_all(&chunk).await?;
    }
}

async fn relay(mut stream: TcpStream, messages: broadcast::Sender<Bytes>) -> io::Result<()> {
    let (mut reader, mut writer) = stream.split();
    let mut inbox = messages.subscribe();
    let mut buffer = vec![0; 4096];
    loop {
        tokio::select! {
            count = reader.read(&mut buffer) => match count? {
                0 => return Ok(()),
                count => {
                    let message = Bytes::copy_from_slice(&buffer[..count]);
                    messages.send(message).map_err(io::Error::other)?;
                }
            },
            message = inbox.recv() => {
                writer.write_all(&message.map_err(io::Error::other)?).await?;
            }
        }
    }
}

fn timers(count: u64) -> io::Result<()> {
    let mut queue = DelayQueue::new();
    let mut armed = Vec::with_capacity(count as usize);
    let start = Instant::now();
    for index in 0..count {
        armed.push(queue.insert(index, Duration::from_millis(peer::timer_delay_ms(index))));
    }
    for key in &armed {
        queue.remove(key);
    }
    println!(
        "TIMERS {}",
        start.elapsed().as_nanos() as f64 / count as f64
    );
    Ok(())
}
