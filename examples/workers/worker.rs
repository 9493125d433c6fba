//! A worker: a thread with a loop, its connections, and what it is told.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use soquete::net::{
    self, BoundSocket, Group, RemoteGroup, Server, ServerOptions, Socket, SocketOptions, StdStream,
};
use soquete::{Flow, Sender, event, timers};

/// How long connections have to end by themselves.
const DEADLINE: Duration = Duration::from_secs(5);

/// A client that reads so little is cut.
const MOST_UNREAD: usize = 4 << 20;

/// So many payloads of the other workers wait for one that is busy.
const MOST_WAITING: usize = 256;

/// When it is tried again to tell a worker for which so many wait.
const PAUSE: Duration = Duration::from_millis(1);

/// What a worker is told.
pub enum Message {
    /// These are the rooms of the other workers.
    Meet(Vec<RemoteGroup>),
    Serve(StdStream),
    Stop,
}

/// A worker as the other threads have it.
pub struct Worker {
    pub index: usize,
    sender: Sender<Message>,
    room: RemoteGroup,
    thread: JoinHandle<soquete::Result<()>>,
}

impl Worker {
    /// Starts a worker, which listens at a place of its own or is handed connections; then it tells whenever one of
    /// them has closed.
    pub fn start(
        index: usize,
        place: Option<BoundSocket>,
        left: Option<Sender<usize>>,
    ) -> soquete::Result<Worker> {
        let (started, is_started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let desk = Rc::new(Desk::new(index, left));
            // Nobody waits for it any more if something else has failed.
            let _ = started.send(desk.open(place));
            drop(desk);
            soquete::run()
        });
        let (sender, room) = is_started.recv().expect("a thread starts")?;
        Ok(Worker {
            index,
            sender,
            room,
            thread,
        })
    }

    pub fn sender(&self) -> Sender<Message> {
        self.sender.clone()
    }

    pub fn room(&self) -> RemoteGroup {
        self.room.clone()
    }

    pub fn meets(&self, others: Vec<RemoteGroup>) -> soquete::Result<()> {
        self.sender.send(Message::Meet(others))
    }

    /// Lets its connections end.
    pub fn stop(&self) -> soquete::Result<()> {
        self.sender.send(Message::Stop)
    }

    /// Waits until they have.
    pub fn join(self) -> soquete::Result<()> {
        // Each of these keeps its loop alive.
        drop((self.sender, self.room));
        self.thread.join().expect("no worker panics")
    }
}

/// What a worker has, on its own thread.
struct Desk {
    index: usize,
    room: Group,
    others: RefCell<Vec<RemoteGroup>>,
    server: RefCell<Option<Server>>,
    left: RefCell<Option<Sender<usize>>>,
}

impl Desk {
    fn new(index: usize, left: Option<Sender<usize>>) -> Desk {
        Desk {
            index,
            room: Group::new(),
            others: RefCell::default(),
            server: RefCell::default(),
            left: RefCell::new(left),
        }
    }

    fn open(
        self: &Rc<Desk>,
        place: Option<BoundSocket>,
    ) -> soquete::Result<(Sender<Message>, RemoteGroup)> {
        let room = self.room.remote_with(MOST_WAITING)?;
        let desk = Rc::clone(self);
        let sender = soquete::channel(move |message| desk.hear(message))?;
        if let Some(place) = place {
            let desk = Rc::clone(self);
            let options = ServerOptions::new().max_write_queue(MOST_UNREAD);
            let server = net::create_server_with(options, move |socket| desk.serve(socket));
            self.server.replace(Some(server.listen(place)));
        }
        Ok((sender, room))
    }

    fn hear(self: &Rc<Desk>, message: Message) -> Flow {
        match message {
            Message::Meet(others) => drop(self.others.replace(others)),
            Message::Serve(stream) => {
                let options = SocketOptions::new().max_write_queue(MOST_UNREAD);
                match Socket::from_std_with(stream, options) {
                    Ok(socket) => self.serve(socket),
                    Err(error) => {
                        eprintln!("{error}");
                        self.has_left();
                    }
                }
            }
            Message::Stop => {
                self.stop();
                return Flow::Stop;
            }
        }
        Flow::Continue
    }

    fn serve(self: &Rc<Desk>, socket: Socket) {
        println!(
            "worker {} serves {:?}",
            self.index,
            socket.remote_socket_addr()
        );
        self.room.add(socket);
        let (speaks, closes) = (Rc::clone(self), Rc::clone(self));
        socket.on(event::Data, move |words| speaks.say(socket, words));
        socket.on(event::Error, |error| eprintln!("{error}"));
        socket.on(event::Close, move |_| closes.has_left());
    }

    /// To all clients of all workers, by one copy. A speaker that is faster than one of the workers is not read until
    /// that worker has caught up: so what waits is bounded, and nobody misses a word.
    fn say(&self, speaker: Socket, words: &[u8]) {
        let words: Arc<[u8]> = words.into();
        self.room.publish(Arc::clone(&words));
        let others = self.others.borrow();
        let busy = others.iter().filter(|other| !takes(other, &words));
        let mut busy: Vec<RemoteGroup> = busy.cloned().collect();
        if busy.is_empty() {
            return;
        }
        speaker.pause();
        timers::set_interval(PAUSE, move || {
            busy.retain(|other| !takes(other, &words));
            if !busy.is_empty() {
                return Flow::Continue;
            }
            speaker.resume();
            Flow::Stop
        });
    }

    fn has_left(&self) {
        if let Some(left) = &*self.left.borrow() {
            // Whoever accepted has stopped already.
            let _ended = left.send(self.index);
        }
    }

    fn stop(&self) {
        if let Some(server) = self.server.take() {
            server.close();
        }
        // They would keep the other loops alive.
        self.others.take();
        self.left.take();
        for socket in self.room.members() {
            socket.end();
        }
        let room = self.room.clone();
        let deadline = timers::set_timeout(DEADLINE, move || {
            for socket in room.members() {
                socket.destroy();
            }
        });
        // Nobody left to wait for is the best reason not to wait.
        deadline.unref();
    }
}

/// Whether a worker need not be told again: it has been, or it has stopped already.
fn takes(worker: &RemoteGroup, words: &Arc<[u8]>) -> bool {
    !matches!(worker.try_publish(Arc::clone(words)), Ok(Some(_)))
}
