//! `pipeline`: pipes that end and fail together.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::finished::{Finished, FinishedOptions, finished_with};
use crate::error::{Error, Result, node};
use crate::event;
use crate::events::outcome::Verdict;
use crate::events::{ListenerId, Outcome};
use crate::net::{PipeOptions, Socket};
use crate::timers;

/// Pipes each socket into the next, and calls `done` when the last one has sent everything and its
/// end, or when one of them has failed.
///
/// When one fails, or closes before it has ended, all of them are destroyed with that error, and
/// `done` gets it. When all went well, they stay as they are: what the last one receives can still
/// be read. `done` is called exactly once, on a tick, with
///
/// | | |
/// |---|---|
/// | `ERR_STREAM_PREMATURE_CLOSE` | a socket has closed too early, without an error |
/// | `ERR_STREAM_UNABLE_TO_PIPE` | one but the first was destroyed before; nothing was done |
/// | `ERR_MISSING_ARGS` | there are fewer than two |
///
/// To anything that is no socket, see [`Socket::pipe_to_writer`].
///
/// ```no_run
/// use soquete::{net, stream};
///
/// # fn main() -> soquete::Result<()> {
/// let proxy = net::create_server(|client| {
///     let upstream = net::connect(("example.org", 80));
///     stream::pipeline([client, upstream, client], |outcome| {
///         if let Err(error) = outcome {
///             eprintln!("a connection was cut: {error}");
///         }
///     });
/// });
/// proxy.listen(3000);
/// soquete::run()
/// # }
/// ```
pub fn pipeline<R: Outcome>(
    sockets: impl IntoIterator<Item = Socket>,
    done: impl FnOnce(Result<()>) -> R + 'static,
) {
    pipeline_with(sockets, PipeOptions::new(), done);
}

/// As [`pipeline`]; with options, the last socket may be left open when the one before it has ended.
///
/// ```
/// use soquete::net::{self, PipeOptions};
/// use soquete::{event, stream};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     // What comes in goes back, and then a last word.
///     let left_open = PipeOptions::new().end(false);
///     stream::pipeline_with([socket, socket], left_open, move |outcome| {
///         outcome?;
///         socket.end_with("!");
///         Ok(())
///     })
/// });
/// server.listen_then(0, |server| {
///     let client = net::connect(server.address().unwrap());
///     client.end_with("hello");
///     let mut heard = String::new();
///     client.on(event::Text, move |text| heard += text);
///     client.on(event::End, move |()| server.close());
/// });
/// soquete::run()
/// # }
/// ```
pub fn pipeline_with<R: Outcome>(
    sockets: impl IntoIterator<Item = Socket>,
    options: PipeOptions,
    done: impl FnOnce(Result<()>) -> R + 'static,
) {
    let done = move |outcome| done(outcome).verdict();
    let sockets: Vec<Socket> = sockets.into_iter().collect();
    let misuse = if sockets.len() < 2 {
        Some(node::missing_streams())
    } else if sockets[1..].iter().any(Socket::destroyed) {
        Some(node::unable_to_pipe())
    } else {
        None
    };
    if let Some(error) = misuse {
        return timers::next_tick(move || done(Err(error)));
    }
    let last = sockets.len() - 1;
    let pipeline = Rc::new(Pipeline {
        // Each pipe has two ends, and each of them is heard of once.
        unfinished: Cell::new(2 * last),
        error: RefCell::new(None),
        members: RefCell::new(Vec::new()),
        of_last: RefCell::new(Vec::new()),
        error_of_last: Cell::new(None),
        done: RefCell::new(Some(Box::new(done))),
    });
    for (index, socket) in sockets.iter().enumerate() {
        let ends = index < last || options.ends();
        if ends {
            pipeline.add_member(*socket, index < last, index > 0, index == last);
        }
        let listener = pipeline.listen_for_errors(*socket);
        if index == last && socket.readable() {
            pipeline.error_of_last.set(Some((*socket, listener)));
        }
        if index > 0 {
            pipeline.join(sockets[index - 1], *socket, ends, index == last);
        }
    }
}

type Done = Box<dyn FnOnce(Result<()>) -> Verdict>;

struct Pipeline {
    unfinished: Cell<usize>,
    error: RefCell<Option<Error>>,
    /// Those that are destroyed when one fails.
    members: RefCell<Vec<Member>>,
    /// What is left on the last socket, which is given back clean if it can still be read.
    of_last: RefCell<Vec<Finished>>,
    error_of_last: Cell<Option<(Socket, ListenerId)>>,
    done: RefCell<Option<Done>>,
}

struct Member {
    socket: Socket,
    /// It has ended, or has closed by itself, and is not destroyed.
    is_done: Rc<Cell<bool>>,
}

impl Pipeline {
    fn add_member(self: &Rc<Pipeline>, socket: Socket, reads: bool, writes: bool, is_last: bool) {
        let is_done = Rc::new(Cell::new(false));
        let closed = Rc::clone(&is_done);
        socket.once(event::Close, move |_| closed.set(true));
        let ended = Rc::clone(&is_done);
        let sides = FinishedOptions::new().readable(reads).writable(writes);
        let watch = finished_with(socket, sides, move |outcome| ended.set(outcome.is_ok()));
        if is_last && socket.readable() {
            self.of_last.borrow_mut().push(watch);
        }
        self.members.borrow_mut().push(Member { socket, is_done });
    }

    /// An error that comes when the pipe has done its part counts, too.
    fn listen_for_errors(self: &Rc<Pipeline>, socket: Socket) -> ListenerId {
        let pipeline = Rc::clone(self);
        socket.add_listener(event::Error, move |error| {
            if error.code() != "ERR_STREAM_PREMATURE_CLOSE" {
                pipeline.settle(Err(error.clone()), false);
            }
        })
    }

    fn join(self: &Rc<Pipeline>, source: Socket, dest: Socket, ends: bool, is_last: bool) {
        let source_ended = Rc::new(Cell::new(false));
        let (pipeline, ended) = (Rc::clone(self), Rc::clone(&source_ended));
        dest.on(event::Close, move |_| {
            if !ended.get() {
                pipeline.settle(Err(node::premature_close()), false);
            }
        });
        source.pipe_with(dest, PipeOptions::new().end(false));
        if ends {
            let end = move || {
                source_ended.set(true);
                dest.end();
            };
            if source.readable_ended() {
                timers::next_tick(end);
            } else {
                source.once(event::End, move |()| end());
            }
        } else {
            self.one_is_finished(Ok(()));
        }
        let pipeline = Rc::clone(self);
        let reading = FinishedOptions::new().writable(false);
        finished_with(source, reading, move |outcome| {
            pipeline.one_is_finished(outcome);
        });
        let pipeline = Rc::clone(self);
        let writing = FinishedOptions::new().readable(false);
        let watch = finished_with(dest, writing, move |outcome| {
            pipeline.one_is_finished(outcome);
        });
        if is_last && dest.readable() {
            self.of_last.borrow_mut().push(watch);
        }
    }

    fn one_is_finished(&self, outcome: Result<()>) {
        let unfinished = self.unfinished.get().saturating_sub(1);
        self.unfinished.set(unfinished);
        self.settle(outcome, unfinished == 0);
    }

    /// Takes note of an outcome. The first error counts, unless that was only a premature close.
    fn settle(&self, outcome: Result<()>, is_last: bool) {
        if let Err(error) = outcome {
            let mut first = self.error.borrow_mut();
            let counts = first
                .as_ref()
                .is_none_or(|first| first.code() == "ERR_STREAM_PREMATURE_CLOSE");
            if counts {
                *first = Some(error);
            }
        }
        let error = self.error.borrow().clone();
        if let Some(error) = &error {
            self.destroy_members(error);
        }
        if !is_last {
            return;
        }
        if error.is_none() {
            self.of_last.take().into_iter().for_each(Finished::cancel);
            if let Some((last, listener)) = self.error_of_last.take() {
                last.remove_listener(listener);
            }
        }
        let done = self.done.take();
        if let Some(done) = done {
            timers::next_tick(move || done(error.map_or(Ok(()), Err)));
        }
    }

    fn destroy_members(&self, error: &Error) {
        for member in self.members.take() {
            if !member.is_done.get() {
                member.socket.destroy_with(error.clone());
            }
        }
    }
}
