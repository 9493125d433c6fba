//! Sockets that are sent the same: a room of a chat, the subscribers of a channel.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Result, node};
use crate::machine::Life;
use crate::machine::data::{Data, Repr};
use crate::machine::write_queue::COPY_BELOW;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::socket::SocketState;
use crate::net::values::handle::Socket;
use crate::reactor::{self, Key, Sender};

/// A group of sockets to [publish](Group::publish) to. Clones are the same group. Node has no counterpart: there,
/// it is a `Set` and a loop.
///
/// A socket leaves by itself when it is destroyed. So whoever is published to is there, and nobody has to be
/// taken out in a listener of [`Close`](crate::event::Close).
///
/// # Slow members
///
/// One payload is shared by all members' queues, so a slow reader costs little memory at first, but it keeps each
/// payload that it has not been sent. Two rules keep it from being too many:
///
/// * It is cut: a member whose [`max_write_queue`](crate::net::SocketOptions::max_write_queue) is exceeded is destroyed
///   with `ERR_SOCKET_WRITE_QUEUE_FULL`, as by any other write. For a stream of which nothing may be missing.
/// * It is passed over: a member that has more than [`skip_above`](Group::set_skip_above) bytes queued is not sent
///   this payload, and may be sent the next. For what is soon replaced by something newer: prices, positions.
///
/// Without either, what is published waits until it is read.
///
/// ```
/// use soquete::event;
/// use soquete::net::{self, Group, ServerOptions};
///
/// # fn main() -> soquete::Result<()> {
/// let room = Group::new();
/// let options = ServerOptions::new().max_write_queue(1 << 20);
/// let server = net::create_server_with(options, move |socket| {
///     room.add(socket);
///     let room = room.clone();
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.on(event::Data, move |words| {
///         room.publish_except(socket, words);
///     });
/// });
/// server.listen_then(("127.0.0.1", 0), |server| {
///     let hears = net::connect(server.address().unwrap());
///     hears.on(event::Connect, move |()| {
///         let speaks = net::connect(server.address().unwrap());
///         speaks.write("hello");
///         hears.on(event::Data, move |words| {
///             assert_eq!(words, b"hello");
///             speaks.destroy();
///             hears.destroy();
///             server.close();
///         });
///     });
/// });
/// soquete::run()
/// # }
/// ```
#[derive(Clone, Default)]
#[doc(alias("broadcast", "room", "multicast"))]
pub struct Group(Rc<Members>);

#[derive(Default)]
struct Members {
    /// Copied when it changes while it is being gone through.
    list: RefCell<Rc<Vec<Key>>>,
    /// Where each is in the list.
    places: RefCell<HashMap<Key, usize>>,
    /// How long the list may become before those are looked for that have gone.
    full_at: Cell<usize>,
    skip_above: Cell<Option<usize>>,
}

/// What has become of a payload at a member.
enum Sent {
    Queued,
    NotNow,
    Never,
}

impl Group {
    /// An empty group.
    pub fn new() -> Group {
        Group::default()
    }

    /// Adds a socket, which may be connecting yet. False if it is a member already, or destroyed. A socket that
    /// connects again after its `Close` is to be added again.
    pub fn add(&self, socket: Socket) -> bool {
        let members = &self.0;
        if socket.destroyed() || members.places.borrow().contains_key(&socket.key()) {
            return false;
        }
        if members.list.borrow().len() >= members.full_at.get() {
            self.forget_the_gone();
            members.full_at.set(2 * members.list.borrow().len().max(16));
        }
        let mut list = members.list.borrow_mut();
        let list = Rc::make_mut(&mut *list);
        members.places.borrow_mut().insert(socket.key(), list.len());
        list.push(socket.key());
        true
    }

    /// Takes a socket out. False if it is no member.
    pub fn remove(&self, socket: Socket) -> bool {
        let members = &self.0;
        let mut places = members.places.borrow_mut();
        let Some(place) = places.remove(&socket.key()) else {
            return false;
        };
        let mut list = members.list.borrow_mut();
        let list = Rc::make_mut(&mut *list);
        list.swap_remove(place);
        if let Some(moved) = list.get(place) {
            places.insert(*moved, place);
        }
        true
    }

    /// Whether a socket is a member.
    pub fn contains(&self, socket: Socket) -> bool {
        self.0.places.borrow().contains_key(&socket.key()) && !socket.destroyed()
    }

    /// How many members there are. Looks at each of them.
    pub fn len(&self) -> usize {
        self.forget_the_gone();
        self.0.list.borrow().len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The members, in no particular order.
    pub fn members(&self) -> Vec<Socket> {
        self.forget_the_gone();
        let list = self.0.list.borrow();
        list.iter().copied().map(Socket::from_key).collect()
    }

    /// Skips, at each publish, members that have more than `bytes` bytes queued. `None`, the default, skips nobody. See
    /// [slow members](Group#slow-members).
    ///
    /// ```
    /// let prices = soquete::net::Group::new();
    /// prices.set_skip_above(Some(64 * 1024));
    /// ```
    pub fn set_skip_above(&self, bytes: Option<usize>) -> &Group {
        self.0.skip_above.set(bytes);
        self
    }

    /// See [`set_skip_above`](Group::set_skip_above).
    pub fn skip_above(&self) -> Option<usize> {
        self.0.skip_above.get()
    }

    /// Writes `data` to all members, in no particular order, and returns how many it was written to. Members that have
    /// [ended](Socket::end) are passed over. The bytes are shared, and copied at most once.
    ///
    /// No listener runs inside this call, whoever is destroyed by it.
    pub fn publish<'a>(&self, data: impl Into<Data<'a>>) -> usize {
        self.send(None, data.into())
    }

    /// As [`publish`](Group::publish), to all members but `except`, which need not be a member.
    ///
    /// ```
    /// use soquete::event;
    /// use soquete::net::{self, Group};
    ///
    /// let room = Group::new();
    /// let server = net::create_server(move |socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     room.add(socket);
    ///     let room = room.clone();
    ///     socket.on(event::Data, move |words| room.publish_except(socket, words));
    /// });
    /// # server.close();
    /// ```
    pub fn publish_except<'a>(&self, except: Socket, data: impl Into<Data<'a>>) -> usize {
        self.send(Some(except.key()), data.into())
    }

    /// A handle by which other threads publish to this group, and so a loop to the groups of all others. It keeps
    /// its loop alive as a [`Sender`] does, until it is dropped or [`unref`](RemoteGroup::unref)ed.
    ///
    /// What is published waits for the loop without a limit: threads that are faster than it fill memory. See
    /// [`remote_with`](Group::remote_with).
    ///
    /// ```
    /// use soquete::event;
    /// use soquete::net::{Group, Socket};
    /// use std::os::unix::net::UnixStream;
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let (ours, theirs) = UnixStream::pair()?;
    /// let group = Group::new();
    /// group.add(Socket::from_std(ours)?);
    /// let remote = group.remote()?;
    /// std::thread::spawn(move || remote.publish(*b"news"));
    /// Socket::from_std(theirs)?.on(event::Data, move |news| {
    ///     assert_eq!(news, b"news");
    ///     group.members().iter().for_each(|member| drop(member.end()));
    /// });
    /// soquete::run()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`soquete::remote`](crate::remote()).
    pub fn remote(&self) -> Result<RemoteGroup> {
        self.open_remote(None)
    }

    /// As [`remote`](Group::remote), for at most `limit` payloads that wait for the loop (at least one). A thread
    /// that finds so many [waits](RemoteGroup::publish) or [is told](RemoteGroup::try_publish).
    ///
    /// ```
    /// use soquete::net::Group;
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let remote = Group::new().remote_with(16)?;
    /// let ticks = std::thread::spawn(move || {
    ///     (0..1000_u32).try_for_each(|tick| remote.publish(tick.to_be_bytes()))
    /// });
    /// soquete::run()?;
    /// ticks.join().unwrap()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`soquete::remote`](crate::remote()).
    pub fn remote_with(&self, limit: usize) -> Result<RemoteGroup> {
        self.open_remote(Some(NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN)))
    }

    fn open_remote(&self, limit: Option<NonZeroUsize>) -> Result<RemoteGroup> {
        let group = self.clone();
        let hear = move |payload: Arc<[u8]>| group.publish(payload);
        let sender = reactor::with(|event_loop| event_loop.channel(limit, hear))
            .unwrap_or_else(|| Err(node::loop_closed()))?;
        Ok(RemoteGroup(sender))
    }

    fn send(&self, except: Option<Key>, data: Data<'_>) -> usize {
        let data = match data.0 {
            Repr::Borrowed(bytes) if bytes.len() >= COPY_BELOW => Data(Repr::Rc(bytes.into())),
            Repr::Owned(bytes) if bytes.len() >= COPY_BELOW => Data(Repr::Rc(bytes.into())),
            repr => Data(repr),
        };
        let members = Rc::clone(&self.0.list.borrow());
        let (mut queued, mut gone) = (0, false);
        reactor::with(|event_loop| {
            for key in members.iter().filter(|key| Some(**key) != except) {
                let sent = SocketDriver::on(event_loop, *key, |driver| self.send_to(driver, &data));
                match sent {
                    Some(Sent::Queued) => queued += 1,
                    Some(Sent::NotNow) => {}
                    Some(Sent::Never) | None => gone = true,
                }
            }
        });
        drop(members);
        if gone {
            self.forget_the_gone();
        }
        queued
    }

    fn send_to(&self, driver: &SocketDriver<'_>, data: &Data<'_>) -> Sent {
        let duplex = &driver.state.duplex;
        if duplex.is_destroyed() {
            return Sent::Never;
        }
        let is_slow = |most| duplex.writable_length(driver) > most;
        let takes_writes = matches!(duplex.life(), Life::Open | Life::Connecting);
        if !takes_writes || !duplex.is_writable() || self.0.skip_above.get().is_some_and(is_slow) {
            return Sent::NotNow;
        }
        // A copy of little is cheaper than a share in it.
        if data.len() < COPY_BELOW {
            duplex.write_bytes(driver, [data.as_bytes()]);
        } else {
            duplex.write(driver, [data.clone()], None);
        }
        match duplex.is_destroyed() {
            true => Sent::Never,
            false => Sent::Queued,
        }
    }

    fn forget_the_gone(&self) {
        let is_there = |key: &Key| {
            let state = reactor::with(|event_loop| SocketState::find(event_loop, *key));
            state
                .flatten()
                .is_some_and(|state| !state.duplex.is_destroyed())
        };
        let list = Rc::clone(&self.0.list.borrow());
        if list.iter().all(is_there) {
            return;
        }
        let left: Vec<Key> = list.iter().copied().filter(is_there).collect();
        let mut places = self.0.places.borrow_mut();
        places.clear();
        places.extend(left.iter().enumerate().map(|(place, key)| (*key, place)));
        self.0.list.replace(Rc::new(left));
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("members", &self.0.list.borrow().len())
            .field("skip_above", &self.0.skip_above.get())
            .finish()
    }
}

/// Publishes to a [`Group`] from other threads. Clones publish to the same group, which is there as long as one of
/// them is.
#[derive(Clone, Debug)]
pub struct RemoteGroup(Sender<Arc<[u8]>>);

impl RemoteGroup {
    /// Has the group's loop [publish](Group::publish) a payload, which is shared with all members' queues. Payloads
    /// of one thread are published in their order.
    ///
    /// Where the group has a [limit](Group::remote_with) and so many wait, this waits until there is room. Loops that
    /// publish to each other would wait for each other: they [try](RemoteGroup::try_publish).
    ///
    /// ```
    /// use soquete::net::RemoteGroup;
    /// use std::sync::Arc;
    ///
    /// /// To the groups of all loops, by one copy.
    /// fn tell_everybody(groups: &[RemoteGroup], news: &str) -> soquete::Result<()> {
    ///     let news: Arc<[u8]> = Arc::from(news.as_bytes());
    ///     groups.iter().try_for_each(|group| group.publish(Arc::clone(&news)))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_CHANNEL_CLOSED` when the group's thread has ended; `ERR_CHANNEL_FULL` on that thread itself, where
    /// nothing would make room meanwhile.
    pub fn publish(&self, payload: impl Into<Arc<[u8]>>) -> Result<()> {
        self.0.send(payload.into())
    }

    /// As [`publish`](RemoteGroup::publish), but never waits: where there is no room, the payload comes back. Drop
    /// it, if something newer will replace it; or pause whoever it comes from, and try again later.
    ///
    /// ```
    /// # fn main() -> soquete::Result<()> {
    /// let remote = soquete::net::Group::new().remote_with(1)?;
    /// assert_eq!(remote.try_publish(*b"first")?, None);
    /// assert_eq!(remote.try_publish(*b"second")?.as_deref(), Some(&b"second"[..]));
    /// drop(remote);
    /// soquete::run()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_CHANNEL_CLOSED` when the group's thread has ended.
    pub fn try_publish(&self, payload: impl Into<Arc<[u8]>>) -> Result<Option<Arc<[u8]>>> {
        self.0.try_send(payload.into())
    }

    /// Lets the group's loop end though this handle exists, as [`Sender::unref`] does.
    pub fn unref(&self) {
        self.0.unref();
    }

    /// Takes [`unref`](RemoteGroup::unref) back.
    pub fn ref_(&self) {
        self.0.ref_();
    }
}
