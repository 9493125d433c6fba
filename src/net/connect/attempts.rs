//! Trying addresses as Node tries them: one after the other, never two at once (but see `racing.rs`).
//!
//! | what happens | one address | several |
//! |---|---|---|
//! | it cannot be bound locally | the error | the next one |
//! | it is blocked | `ConnectionAttempt`, the error | `ConnectionAttemptFailed`, the next one |
//! | the kernel refuses at once | the error | `ConnectionAttemptFailed`, the next one |
//! | it fails later | `ConnectionAttemptFailed`, the error | `ConnectionAttemptFailed`, the next one |
//! | it takes too long | (the kernel decides) | `ConnectionAttemptTimeout`, the next one; beside it, where that is wanted |
//! | the socket is destroyed meanwhile | | `ConnectionAttemptFailed` (ECANCELED) before `Close` |
//!
//! The last of several gets all the time in the world. When none is left, the errors come as one.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::dns;
use crate::error::{Endpoint, Error, Local, Result, node};
use crate::event;
use crate::kernel::socket::{self, Sharing};
use crate::kernel::unix;
use crate::kernel::{self, Answer, Call, Stream, answer, errno};
use crate::machine::Life;
use crate::net::driver::log_line;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::auto_select::{
    MIN_ATTEMPT_TIMEOUT, get_default_auto_select_family_attempt_timeout,
};
use crate::net::options::bound::Bound;
use crate::net::options::connect::{ConnectOptions, Target};
use crate::net::state::connecting::{Connecting, Destination};
use crate::net::values::payload::Attempt;
use crate::reactor::{self, Task};

/// What an attempt came to, as far as is known at once.
pub(super) enum Progress {
    /// The kernel is at it, or nothing is left to be done.
    Settled,
    /// The next address is to be tried.
    Failed,
}

/// Beginning.
impl SocketDriver<'_> {
    /// Tries the destinations. One connect at a time: while another is under way, this one fails
    /// and takes the socket with it.
    pub(super) fn begin(&self, connecting: Connecting) {
        if !self.state.transport.borrow().is_none() {
            let first = connecting.destinations.first();
            let attempt = first.map(Destination::attempt).unwrap_or_default();
            return self.begin_twice(&attempt, errno::EALREADY);
        }
        if connecting.has_several() {
            self.state
                .with_extras(|extras| extras.attempted = Some(Vec::new()));
        }
        let before = self
            .state
            .with_extras(|extras| extras.connecting.replace(Box::new(connecting)));
        self.event_loop.discard(before);
        self.try_next_address();
    }

    fn begin_twice(&self, attempt: &Attempt, number: i32) {
        self.emit_lent(event::ConnectionAttempt, attempt);
        if self.state.duplex.life() == Life::Connecting {
            self.fail(self.refusal(attempt.clone(), &errno::error(number)));
        }
    }

    /// What `connect` on a socket that has its connection leads to.
    pub(super) fn already_connected(&self, options: &ConnectOptions) -> Error {
        let attempt = match &options.target {
            Target::Path(path) => Attempt {
                address: path.to_string_lossy().into_owned(),
                ..Attempt::default()
            },
            Target::Nowhere(text) => Attempt {
                address: text.clone(),
                ..Attempt::default()
            },
            Target::Tcp { host, port } => Attempt {
                address: host.clone(),
                port: Some(*port),
                family: None,
            },
        };
        self.refusal(attempt, &errno::error(errno::EISCONN))
    }

    /// The error of an attempt that the kernel did not take up.
    fn refusal(&self, attempt: Attempt, error: &io::Error) -> Error {
        let at = Endpoint {
            address: attempt.address,
            port: attempt.port,
            local: Local::Found(self.state.transport.borrow().local_address()),
        };
        Error::endpoint("connect", error, &at)
    }
}

/// Trying.
impl SocketDriver<'_> {
    pub(super) fn try_next_address(&self) {
        loop {
            let next = self.with_connecting(|connecting| {
                let index = connecting.next;
                connecting.next += 1;
                let destination = connecting.destinations.get(index)?;
                connecting.current = destination.attempt();
                connecting.local = Local::Untold;
                Some(destination.address)
            });
            let progress = match next {
                Some(Some(address)) => self.attempt(address),
                Some(None) => return self.all_failed(),
                None => return,
            };
            let goes_on = self.state.duplex.life() == Life::Connecting;
            if matches!(progress, Progress::Settled) || !goes_on {
                return;
            }
        }
    }

    fn all_failed(&self) {
        // One of them may connect still.
        if self.has_racers() {
            return;
        }
        let errors = self.with_connecting(|connecting| std::mem::take(&mut connecting.errors));
        let error = match errors {
            Some(errors) if !errors.is_empty() => Error::aggregate(errors),
            _ => node::connection_timeout(),
        };
        self.fail(error);
    }

    fn attempt(&self, address: SocketAddr) -> Progress {
        let Some((options, several)) =
            self.with_connecting(|c| (Rc::clone(&c.options), c.has_several()))
        else {
            return Progress::Settled;
        };
        let mut prepared = match self.bind(address, &options) {
            Ok(socket) => socket,
            Err(error) if several => return self.record(error),
            Err(error) => return self.give_up(error),
        };
        let blocked = self.is_blocked(address);
        if !(blocked && several) {
            // Its address is seen meanwhile.
            if let Some(socket) = prepared.take() {
                self.state
                    .with_extras(|extras| extras.bound = Some(Bound::new(socket)));
            }
            self.emit_lent(event::ConnectionAttempt, &self.current_attempt());
            if self.state.duplex.life() != Life::Connecting {
                return Progress::Settled;
            }
            prepared = self.take_bound();
        }
        if blocked {
            let error = node::ip_blocked(&self.current_attempt().address);
            return self.refused_at_once(error, several);
        }
        if several {
            let tried = format!("{}:{}", self.current_attempt().address, address.port());
            self.state
                .with_extras(|extras| extras.attempted.get_or_insert_default().push(tried));
        }
        let opened = prepared.map_or_else(|| socket::open(address), Ok);
        log_line::tries(self, || self.current_attempt());
        let socket = match opened.and_then(|socket| self.prepared(socket)) {
            Ok(socket) => socket,
            Err(error) => {
                let error = self.refusal(self.current_attempt(), &error);
                return self.refused_at_once(error, several);
            }
        };
        let answer = socket.connect(address);
        self.state.transport.replace(socket.into_tcp());
        match answer {
            Err(error) if of_connect(&error) == Answer::Fail => {
                let error = self.refusal(self.current_attempt(), &error);
                self.state.transport.replace(Stream::None);
                self.refused_at_once(error, several)
            }
            answer => {
                self.started(answer);
                self.arm_attempt_timer();
                Progress::Settled
            }
        }
    }

    /// A descriptor with which the user has done what there is to be done before it connects.
    fn prepared(&self, socket: kernel::socket::Socket) -> io::Result<kernel::socket::Socket> {
        if let Some(Some(prepare)) = self.state.extras(|extras| extras.prepare.clone()) {
            prepare.run(self.event_loop, socket.as_fd())?;
        }
        Ok(socket)
    }

    /// A socket with the local address that was asked for, or that was bound before; `None` if the
    /// kernel is to choose.
    fn bind(
        &self,
        address: SocketAddr,
        options: &ConnectOptions,
    ) -> Result<Option<kernel::Socket>> {
        if let Some(bound) = self.take_bound() {
            return Ok(Some(bound));
        }
        let port = options.local_port.unwrap_or(0);
        if options.local_address.is_none() && port == 0 {
            return Ok(None);
        }
        let any = socket::any_like(address).to_string();
        let text = options.local_address.clone().unwrap_or(any);
        let local = dns::literal(&text, port)
            .filter(|local| local.is_ipv4() == address.is_ipv4())
            .ok_or_else(|| errno::error(errno::EINVAL));
        let socket = local
            .and_then(|local| socket::bound(local, Sharing::default()))
            .map_err(|error| Error::endpoint("bind", &error, &Endpoint::at(&text, Some(port))))?;
        if port > 0 {
            self.with_connecting(|connecting| connecting.local = Local::Asked(text, port));
        }
        Ok(Some(socket))
    }

    fn take_bound(&self) -> Option<kernel::Socket> {
        let bound = self.state.extras(|extras| extras.bound.take()).flatten();
        bound.map(|bound| bound.socket)
    }

    fn is_blocked(&self, address: SocketAddr) -> bool {
        let list = self
            .state
            .extras(|extras| extras.block_list.clone())
            .flatten();
        list.is_some_and(|list| list.check(address))
    }

    pub(super) fn connect_to_path(&self, path: &std::path::Path, options: &Rc<ConnectOptions>) {
        let attempt = Attempt {
            address: unix::display(path),
            ..Attempt::default()
        };
        if !self.state.transport.borrow().is_none() {
            return self.begin_twice(&attempt, errno::EINVAL);
        }
        let mut connecting = Connecting::new(options, Vec::new());
        connecting.current = attempt.clone();
        let (before, bound) = self.state.with_extras(|extras| {
            let before = extras.connecting.replace(Box::new(connecting));
            (before, extras.bound.take())
        });
        self.event_loop.discard(before);
        self.emit_lent(event::ConnectionAttempt, &attempt);
        if self.state.duplex.life() != Life::Connecting {
            return;
        }
        let opened = match bound {
            None => unix::open_for(path),
            Some(bound) => {
                self.state
                    .with_extras(|extras| extras.bound_path = bound.path);
                Ok(bound.socket)
            }
        };
        match opened.and_then(|socket| self.prepared(socket)) {
            Ok(socket) => {
                let answer = unix::connect(&socket, path);
                self.state.transport.replace(socket.into_unix());
                self.started(answer);
            }
            Err(error) if error.raw_os_error() == Some(errno::EINVAL) => {
                self.fail(self.refusal(attempt, &error));
            }
            Err(error) => self.refused_later(error),
        }
    }

    /// The kernel has been asked to connect. What comes of it is heard of in the poll phase.
    fn started(&self, answer: io::Result<()>) {
        let refused = answer
            .err()
            .filter(|error| of_connect(error) != Answer::Wait);
        match refused.or_else(|| self.state.register(self.event_loop).err()) {
            Some(error) => self.refused_later(error),
            None => {
                self.with_connecting(|connecting| connecting.under_way = true);
            }
        }
    }

    fn refused_later(&self, error: io::Error) {
        self.with_connecting(|connecting| connecting.refused = Some(error));
        let task = Task::new(self.state.key, |event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| {
                let refused = driver.with_connecting(|connecting| connecting.refused.take());
                if let Some(Some(error)) = refused {
                    driver.connection_failed(&error);
                }
            });
        });
        self.event_loop.pend(task);
    }

    fn arm_attempt_timer(&self) {
        let delay = self.with_connecting(|connecting| {
            let is_last = connecting.next >= connecting.destinations.len();
            let timeout = connecting
                .options
                .auto_select_family_attempt_timeout
                .map_or_else(get_default_auto_select_family_attempt_timeout, |timeout| {
                    timeout.max(MIN_ATTEMPT_TIMEOUT)
                });
            (!is_last).then_some(timeout)
        });
        let Some(Some(delay)) = delay else { return };
        let timer = self
            .event_loop
            .insert_timer(Task::new(self.state.key, |event_loop, key| {
                SocketDriver::on(event_loop, key, |driver| driver.attempt_timed_out());
            }));
        self.event_loop.arm(timer, reactor::whole_ms(delay));
        self.with_connecting(|connecting| connecting.timer = Some(timer));
    }
}

fn of_connect(error: &io::Error) -> Answer {
    answer(Call::Connect, error)
}
