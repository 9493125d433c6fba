//! Options of a socket: a struct with builder methods. `driver/configure.rs` applies them.

use crate::address::BlockList;
use crate::machine::DEFAULT_HIGH_WATER_MARK;
use crate::net::options::abort::AbortSignal;
use crate::net::options::on_read::OnRead;
use crate::net::options::prepare::Prepare;
use crate::net::values::keep_alive::KeepAlive;

/// Options of a socket, connected or not. Node's `new net.Socket(options)`.
#[derive(Clone, Debug)]
#[must_use]
pub struct SocketOptions {
    pub(in crate::net) allow_half_open: bool,
    pub(in crate::net) readable_high_water_mark: usize,
    pub(in crate::net) writable_high_water_mark: usize,
    pub(in crate::net) max_write_queue: usize,
    pub(in crate::net) no_delay: bool,
    pub(in crate::net) keep_alive: Option<KeepAlive>,
    pub(in crate::net) type_of_service: Option<u8>,
    pub(in crate::net) on_read: Option<OnRead>,
    pub(in crate::net) prepare: Option<Prepare>,
    pub(in crate::net) signal: Option<AbortSignal>,
    pub(in crate::net) block_list: Option<BlockList>,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            allow_half_open: false,
            readable_high_water_mark: DEFAULT_HIGH_WATER_MARK,
            writable_high_water_mark: DEFAULT_HIGH_WATER_MARK,
            max_write_queue: 0,
            no_delay: false,
            keep_alive: None,
            type_of_service: None,
            on_read: None,
            prepare: None,
            signal: None,
            block_list: None,
        }
    }
}

/// The builder methods that whatever makes sockets has.
macro_rules! socket_options {
    ($type:ty, |$options:ident| $socket:expr) => {
        impl $type {
            /// Whether the socket can still be written to after the peer has ended. Otherwise (the
            /// default) it ends too, one tick after `End`.
            #[doc(alias = "allowHalfOpen")]
            pub fn allow_half_open(self, allow: bool) -> Self {
                let mut $options = self;
                $socket.allow_half_open = allow;
                $options
            }

            /// Sets both marks, in bytes. `write` returns false once that many bytes are queued, and the socket keeps
            /// that many for a reader. The default is 64 KiB.
            #[doc(alias = "highWaterMark")]
            pub fn high_water_mark(self, bytes: usize) -> Self {
                let mut $options = self;
                $socket.readable_high_water_mark = bytes;
                $socket.writable_high_water_mark = bytes;
                $options
            }

            /// The most bytes that may be queued for a peer that does not read them. A `write` past
            /// it destroys the socket with `ERR_SOCKET_WRITE_QUEUE_FULL`, so that a slow reader
            /// cannot eat the server's memory. 0, the default, is no limit (and Node's only choice).
            /// What is too much is not copied, and the rest of the queue is freed at once. A pipe may queue
            /// 64 KiB more than the high-water mark, for which a lower limit leaves no room. Small writes of
            /// one callback are counted when they go out: up to 64 KiB more may wait. The callbacks of
            /// [`write_then`](crate::net::Socket::write_then) that wait have the same limit, but at least 64 KiB, towards
            /// which each counts 64 bytes.
            pub fn max_write_queue(self, bytes: usize) -> Self {
                let mut $options = self;
                $socket.max_write_queue = bytes;
                $options
            }

            /// Whether small segments are sent at once (`TCP_NODELAY`). Off by default.
            #[doc(alias = "noDelay")]
            pub fn no_delay(self, on: bool) -> Self {
                let mut $options = self;
                $socket.no_delay = on;
                $options
            }

            /// Reads into `buffer`, and nowhere else: `callback` gets the socket, how many bytes were
            /// read, and the buffer that they are at the beginning of. It may put another buffer in
            /// its place; an empty one destroys the socket with `ENOBUFS`. Sockets that are made of
            /// the same options share the buffer. Node's `onread`, which accepted sockets do not
            /// have there.
            ///
            /// If `callback` returns false or [`Flow::Stop`](crate::Flow::Stop), nothing is read until the
            /// socket is resumed. There is no
            /// [`Data`](crate::event::Data) and no [`Readable`](crate::event::Readable) but the one that
            /// tells of the end; nothing is kept, and [`pause`](crate::net::Socket::pause) stops reading at
            /// once; [`End`](crate::event::End) comes without anybody listening.
            ///
            /// A peer that floods fills the buffer up to eight times before other sockets have their turn, twice if
            /// others send little: the longer the buffer, the longer they wait. Node fills it 32 times.
            ///
            /// ```
            /// use soquete::event;
            /// use soquete::net::{self, ServerOptions};
            ///
            /// let options = ServerOptions::new().on_read(vec![0; 65_536], |socket, count, buffer| {
            ///     socket.write(&buffer[..count])
            /// });
            /// let server = net::create_server_with(options, |socket| {
            ///     socket.on(event::Error, |error| eprintln!("{error}"));
            /// });
            /// # server.close();
            /// ```
            #[doc(alias = "onread")]
            pub fn on_read<R: $crate::events::Outcome>(
                self,
                buffer: impl Into<Vec<u8>>,
                callback: impl FnMut($crate::net::Socket, usize, &mut Vec<u8>) -> R + 'static,
            ) -> Self {
                let mut $options = self;
                $socket.on_read = Some($crate::net::options::on_read::OnRead::new(
                    buffer.into(),
                    callback,
                ));
                $options
            }

            /// Calls `prepare` with the descriptor of each socket before it connects, or right after it was
            /// accepted: for options of the system that have no name here, by a crate such as `socket2`. The
            /// descriptor is lent for the call only. A connection that begins with a
            /// [PROXY header](crate::net::ServerOptions::proxy_protocol) is prepared when that is complete. An
            /// error fails the attempt to connect, or closes the accepted connection, with a line in the log.
            ///
            /// ```
            /// use socket2::SockRef;
            /// use soquete::net::ConnectOptions;
            /// use std::time::Duration;
            ///
            /// let options = ConnectOptions::new(3000).prepare(|descriptor| {
            ///     let socket = SockRef::from(&descriptor);
            ///     # #[cfg(target_os = "linux")]
            ///     socket.set_tcp_user_timeout(Some(Duration::from_secs(20)))?;
            ///     socket.set_recv_buffer_size(1 << 20)
            /// });
            /// # drop(options);
            /// ```
            #[doc(alias("setsockopt", "TCP_USER_TIMEOUT"))]
            pub fn prepare(
                self,
                prepare: impl Fn(std::os::fd::BorrowedFd<'_>) -> std::io::Result<()> + 'static,
            ) -> Self {
                let mut $options = self;
                $socket.prepare = Some($crate::net::options::prepare::Prepare::new(prepare));
                $options
            }

            /// Whether, and how, the connection is probed while it is silent; see
            /// [`Socket::set_keep_alive`](crate::net::Socket::set_keep_alive).
            #[doc(alias = "keepAlive")]
            pub fn keep_alive(self, keep_alive: impl Into<$crate::net::KeepAlive>) -> Self {
                let mut $options = self;
                $socket.keep_alive = Some(keep_alive.into());
                $options
            }

            /// The type of service that segments are sent with; see
            /// [`Socket::set_type_of_service`](crate::net::Socket::set_type_of_service).
            pub fn type_of_service(self, service: u8) -> Self {
                let mut $options = self;
                $socket.type_of_service = Some(service);
                $options
            }
        }
    };
}

impl SocketOptions {
    /// The defaults.
    pub fn new() -> SocketOptions {
        SocketOptions::default()
    }
}

socket_options!(SocketOptions, |options| options);
pub(super) use socket_options;

/// The builder methods of what connects.
macro_rules! client_options {
    ($type:ty, |$options:ident| $socket:expr) => {
        impl $type {
            /// Destroys the socket with an `ABORT_ERR` when the signal is aborted; that error is not
            /// unhandled if nobody listens. A socket that has ended on both sides is left to close by
            /// itself. If the signal is aborted already, the socket does not connect.
            pub fn signal(self, signal: $crate::net::AbortSignal) -> Self {
                let mut $options = self;
                $socket.signal = Some(signal);
                $options
            }

            /// Addresses that are not connected to: `ERR_IP_BLOCKED`.
            #[doc(alias = "blockList")]
            pub fn block_list(self, list: &$crate::net::BlockList) -> Self {
                let mut $options = self;
                $socket.block_list = Some(list.clone());
                $options
            }
        }
    };
}

client_options!(SocketOptions, |options| options);
pub(super) use client_options;
