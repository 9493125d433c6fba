//! Several machines: reconnecting, dead peers, balancers and brokers.
//!
//! The crate has no cluster and no broker. It has what a program needs to live among those: connections that come back,
//! timeouts that notice a machine that is gone, and formats for the protocols of the others.
//!
//! # Coming back
//!
//! A socket that has closed is connected again, by a new one, after a pause that grows. The growth is bounded, and a part
//! of the pause is drawn at random where many clients would come back at the same moment. In a
//! [simulated world](super::testing) a server that is away for three seconds takes no time:
//!
//! ```
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! # #[cfg(feature = "sim")]
//! # fn main() {
//! use soquete::net::{self, ConnectOptions};
//! use soquete::{event, sim, timers};
//! use std::time::Duration;
//!
//! const FIRST: Duration = Duration::from_millis(100);
//! const LONGEST: Duration = Duration::from_secs(10);
//!
//! fn connect(pause: Duration) {
//!     let server = ConnectOptions::new(80).host("10.0.0.1");
//!     let socket = net::connect(server.connect_timeout(Duration::from_secs(5)));
//!     socket.on(event::Error, |error| println!("{error}"));
//!     socket.on(event::Data, move |chunk| {
//!         assert_eq!(chunk, b"hello");
//!         socket.attach("done");
//!     });
//!     socket.on(event::Close, move |_| {
//!         if socket.attachment::<&str>().is_some() {
//!             return;
//!         }
//!         // Whoever was connected begins with the first pause anew.
//!         let next = if socket.bytes_read() > 0 { FIRST } else { pause };
//!         timers::set_timeout(next, move || connect(LONGEST.min(next * 2)));
//!     });
//! }
//!
//! let report = sim::World::seed(1).run(|| {
//!     let server = net::create_server(|socket| {
//!         socket.on(event::Error, |error| println!("{error}"));
//!         socket.end_with("hello");
//!         socket.server().map(|server| server.close());
//!     });
//!     // Until then, connecting is refused.
//!     timers::set_timeout(Duration::from_secs(3), move || server.listen(("10.0.0.1", 80)));
//!     connect(FIRST);
//! });
//! report.check();
//! # }
//! ```
//!
//! What was written to a connection that is lost may have arrived or not. A protocol that must not lose anything numbers
//! its messages, keeps each until it is acknowledged, and sends the rest again.
//!
//! # Machines that are gone
//!
//! A machine that loses its power says nothing, and TCP waits. Three settings notice:
//!
//! | setting | notices | after |
//! |---|---|---|
//! | [`connect_timeout`](crate::net::ConnectOptions::connect_timeout) | that nobody answers a connect | its time, all addresses together |
//! | [`keep_alive`](crate::net::SocketOptions::keep_alive) | that a silent peer is gone | delay + interval × count |
//! | `TCP_USER_TIMEOUT`, by [`prepare`](crate::net::SocketOptions::prepare) | that what was sent is not acknowledged | its time |
//!
//! Each reports `ETIMEDOUT` or `ERR_SOCKET_CONNECTION_TIMEOUT`. A ping of the protocol's own notices a peer
//! whose kernel is alive and whose program is not.
//!
//! # Behind a balancer
//!
//! A balancer's connections all come from the balancer. The PROXY protocol tells the client's address in a header in front
//! of each connection, and a server reads it that is told
//! [whose header to believe](crate::net::ServerOptions::proxy_protocol): `remote_address` and the block list then mean the
//! client. Believe only the balancer's addresses, for anybody can write a header. On SIGTERM, [`shutdown`](super::shutting_down) lets the balancer notice that
//! the port is closed and send newcomers elsewhere, while the old connections finish.
//!
//! # One room on several machines
//!
//! Instances that share something do so by a broker such as Redis or NATS: each instance connects to it as a client,
//! publishes what its own connections say, and writes what it hears to its own connections. The protocol of Redis is the
//! format [`Resp`](crate::framing::Resp), that of MQTT brokers [`Mqtt`](crate::framing::Mqtt), and the connection is one
//! that comes back, as above. The repository's chat does all this: `examples/chat/cluster` starts a broker, a balancer and
//! two instances, and counts what a hundred clients are told.
