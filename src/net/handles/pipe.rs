//! Pipes: what one socket receives, another one sends.
//!
//! ```text
//!              Data ───────────────▶ write
//!   source     pause ◀────────────── false                   dest
//!              resume ◀───────────── Drain of all that wait
//!              End ────────────────▶ end
//!              pause, if it was the last pipe ◀── Finish, Close, Error: unpipe
//! ```
//!
//! A pipe is made of listeners on both sockets, as in Node, so that it has Node's place in the order
//! of events among those of the user. A chunk of 16 KiB or more is written straight from the loop's
//! read buffer, and only what the kernel does not take is copied; a smaller one is copied once,
//! behind what else goes to that destination in this callback, for writing it by itself gains
//! nothing. Neither allocates while the destination keeps up, whether a socket is piped into itself
//! (an echo) or two are piped into each other (a proxy).

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use crate::error::Error;
use crate::event;
use crate::events::ListenerId;
use crate::machine::Driver;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::pipe::PipeOptions;
use crate::net::state::pipes::{Destination, Pipe, Pipes};
use crate::net::values::handle::Socket;

/// Piping.
impl Socket {
    /// Writes whatever this socket receives to `dest`, and ends it when this one has ended. Node's
    /// `pipe`; returns `dest`.
    ///
    /// A `dest` that cannot take any more pauses this socket until it has drained; with several
    /// pipes the slowest sets the pace. `dest` gets [`event::Pipe`], and [`event::Unpipe`] when the
    /// pipe is taken away: by [`unpipe`](Socket::unpipe), or because `dest` has finished, failed or
    /// closed. This socket is then paused if it was its last pipe.
    ///
    /// While none of them waits, up to 512 KiB are read at once (Node's 64 KiB carry about a quarter
    /// less), and each source owes up to that much to a `dest` that stops taking any. With a
    /// [`max_write_queue`](crate::net::SocketOptions::max_write_queue) of a `dest`, 64 KiB at most are read.
    ///
    /// Errors are not passed on: where this socket fails, `dest` is left open, and the other way
    /// round. [`stream::pipeline`](crate::stream::pipeline) destroys both. An [`event::Error`] of
    /// `dest` that nobody but the pipe listens to is unhandled.
    ///
    /// ```
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let echo = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     socket.pipe(socket);
    /// });
    /// echo.listen(0).on(event::Listening, move |()| {
    ///     let client = net::connect(echo.address().unwrap().port());
    ///     client.end_with("there and back");
    ///     client.on(event::Data, move |chunk| {
    ///         assert_eq!(chunk, b"there and back");
    ///         echo.close();
    ///     });
    /// });
    /// soquete::run()
    /// # }
    /// ```
    pub fn pipe(&self, dest: Socket) -> Socket {
        self.pipe_with(dest, PipeOptions::new())
    }

    /// As [`pipe`](Socket::pipe), with options.
    ///
    /// ```
    /// use soquete::net::{self, PipeOptions};
    /// use soquete::event;
    ///
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     // What comes in goes back, and then a last word.
    ///     socket.pipe_with(socket, PipeOptions::new().end(false));
    ///     socket.on(event::End, move |()| socket.end_with("bye\n"));
    /// });
    /// # server.close();
    /// ```
    #[doc(alias = "pipe")]
    pub fn pipe_with(&self, dest: Socket, options: PipeOptions) -> Socket {
        let listeners = [None; 4];
        let waiting = false;
        let to = Destination::Socket {
            dest,
            waiting,
            listeners,
        };
        if let Some(link) = Link::add(*self, to) {
            link.join(dest, options);
        }
        dest
    }

    /// Writes whatever this socket receives to anything that can be written to: a file, a `Vec`, a
    /// compressor.
    ///
    /// The writer is given each chunk in full, in the middle of the loop: one that blocks, blocks
    /// everything else on this thread. It is flushed when this socket has ended, and when it is
    /// unpiped, not after each chunk, and not if this socket is destroyed. An error of the writer,
    /// also that it would block, unpipes it and destroys this socket with that error (its
    /// [`syscall`](Error::syscall) is `write`): there is nobody else to tell.
    ///
    /// ```no_run
    /// # fn main() -> soquete::Result<()> {
    /// use soquete::net;
    /// use std::fs::File;
    ///
    /// let file = File::create("download").expect("a file to write to");
    /// net::connect(("example.org", 7000)).pipe_to_writer(file);
    /// soquete::run()
    /// # }
    /// ```
    pub fn pipe_to_writer(&self, writer: impl Write + 'static) -> Socket {
        let writer: Rc<RefCell<dyn Write>> = Rc::new(RefCell::new(writer));
        if let Some(link) = Link::add(*self, Destination::Writer(Rc::clone(&writer))) {
            link.join_writer(writer);
        }
        *self
    }

    /// Takes away the pipe to `dest`, if there is one: `dest` gets [`event::Unpipe`]. If it was the last
    /// pipe of this socket, this socket is paused.
    pub fn unpipe(&self, dest: Socket) -> Socket {
        let removed = change_pipes(*self, |pipes| pipes.remove(|pipe| pipe.leads_to(dest)));
        if let Some(Some((pipe, is_last))) = removed {
            if is_last {
                self.pause();
            }
            pipe.take_away(*self);
        }
        *self
    }

    /// Takes away all pipes, those to writers included, and pauses.
    #[doc(alias = "unpipe")]
    pub fn unpipe_all(&self) -> Socket {
        let list = change_pipes(*self, |pipes| std::mem::take(&mut pipes.list));
        let list = list.unwrap_or_default();
        if !list.is_empty() {
            self.pause();
        }
        for pipe in list {
            pipe.take_away(*self);
        }
        *self
    }
}

/// Names one pipe of a socket, for its listeners.
#[derive(Clone, Copy)]
struct Link {
    source: Socket,
    id: u32,
}

impl Link {
    fn add(source: Socket, to: Destination) -> Option<Link> {
        let takes_much = match to {
            Destination::Socket { dest, .. } => SocketDriver::with(dest.key(), |driver| {
                !driver.state.duplex.has_write_queue_limit()
            }),
            Destination::Writer(_) => None,
        };
        change_pipes(source, |pipes| {
            let id = pipes.next_id;
            pipes.next_id = id.wrapping_add(1);
            pipes.list.push(Pipe {
                id,
                to,
                takes_much: takes_much.unwrap_or(false),
                on_source: [None; 2],
            });
            Link { source, id }
        })
    }

    fn join(self, dest: Socket, options: PipeOptions) {
        let Link { source, .. } = self;
        let at_end = move || {
            if options.ends() {
                dest.end();
            } else {
                source.unpipe(dest);
            }
        };
        let ended = self.at_end_of_source(at_end);
        let data = source.add_listener(event::Data, move |chunk| {
            if !dest.write(chunk) {
                self.wait(dest);
            }
        });
        let failed = dest.add_first(event::Error, move |error| self.dest_failed(dest, error));
        let closed = dest.add_once_listener(event::Close, move |_| {
            source.unpipe(dest);
        });
        let finished = dest.add_once_listener(event::Finish, move |()| {
            source.unpipe(dest);
        });
        self.with(|pipe| {
            pipe.on_source = [Some(data), ended];
            if let Destination::Socket { listeners, .. } = &mut pipe.to {
                *listeners = [Some(failed), Some(closed), Some(finished), None];
            }
        });
        dest.emit_later_if_running(event::Pipe, source);
        if dest.writable_need_drain() {
            self.wait(dest);
        } else if source.readable_flowing() != Some(true) {
            source.resume();
        }
    }

    fn join_writer(self, writer: Rc<RefCell<dyn Write>>) {
        let Link { source, .. } = self;
        let ended = self.at_end_of_source(move || self.unpipe_writer());
        let data = source.add_listener(event::Data, move |chunk| {
            // A writer that is busy is one whose own `write` led here.
            let written = match writer.try_borrow_mut() {
                Ok(mut writer) => writer.write_all(chunk),
                Err(_) => Err(io::ErrorKind::WouldBlock.into()),
            };
            if let Err(error) = written {
                // Not to be flushed any more: that could only hide what was wrong.
                let nobody: Rc<RefCell<dyn Write>> = Rc::new(RefCell::new(io::sink()));
                let _failed =
                    self.with(|pipe| std::mem::replace(&mut pipe.to, Destination::Writer(nobody)));
                self.unpipe_writer();
                source.destroy_with(Error::os("write", &error));
            }
        });
        self.with(|pipe| pipe.on_source = [Some(data), ended]);
        if source.readable_flowing() != Some(true) {
            source.resume();
        }
    }

    fn at_end_of_source(self, then: impl FnOnce() + 'static) -> Option<ListenerId> {
        if self.source.readable_ended() {
            crate::timers::next_tick(then);
            return None;
        }
        Some(self.source.add_once_listener(event::End, |()| then()))
    }

    /// The destination cannot take any more: the source pauses until it has drained.
    fn wait(self, dest: Socket) {
        let is_first = self.with(|pipe| match &mut pipe.to {
            Destination::Socket {
                waiting, listeners, ..
            } => {
                *waiting = true;
                listeners[3].is_none()
            }
            Destination::Writer(_) => false,
        });
        let Some(is_first) = is_first else { return };
        self.source.pause();
        if is_first {
            let id = dest.add_listener(event::Drain, move |()| self.drained());
            let kept = self.with(|pipe| {
                if let Destination::Socket { listeners, .. } = &mut pipe.to {
                    listeners[3] = Some(id);
                }
            });
            // A listener of `Pause` may have taken the pipe away.
            if kept.is_none() {
                dest.remove_listener(id);
            }
        }
    }

    fn drained(self) {
        self.with(|pipe| pipe.set_waiting(false));
        resume_if_nobody_waits(self.source);
    }

    /// The pipe's own listener must not make an error count as handled.
    fn dest_failed(self, dest: Socket, error: &Error) {
        let own = self.with(|pipe| match &mut pipe.to {
            Destination::Socket { listeners, .. } => listeners[0].take(),
            Destination::Writer(_) => None,
        });
        self.source.unpipe(dest);
        if let Some(Some(id)) = own {
            dest.remove_listener(id);
        }
        if dest.listener_count(event::Error) == 0 {
            crate::reactor::with(|event_loop| event_loop.unhandled_error(error.clone()));
        }
    }

    fn unpipe_writer(self) {
        let removed = change_pipes(self.source, |pipes| pipes.remove(|pipe| pipe.id == self.id));
        if let Some(Some((pipe, is_last))) = removed {
            if is_last {
                self.source.pause();
            }
            pipe.take_away(self.source);
        }
    }

    fn with<R>(self, f: impl FnOnce(&mut Pipe) -> R) -> Option<R> {
        with_pipes(self.source, |pipes| {
            let pipe = pipes.list.iter_mut().find(|pipe| pipe.id == self.id)?;
            Some(f(pipe))
        })
        .flatten()
    }
}

impl Pipes {
    /// The source has closed for good, and its destinations forget it. They are told nothing, as in
    /// Node.
    pub(in crate::net) fn forget(self) {
        for pipe in self.list {
            pipe.leave_dest();
        }
    }
}

impl Pipe {
    fn leave_dest(&self) {
        if let Destination::Socket {
            dest, listeners, ..
        } = &self.to
        {
            for id in listeners.iter().flatten() {
                dest.remove_listener(*id);
            }
        }
    }

    /// Removes what the pipe, which is not in the list any more, has left on either end.
    fn take_away(self, source: Socket) {
        self.leave_dest();
        for id in self.on_source.iter().flatten() {
            source.remove_listener(*id);
        }
        if self.is_waiting() {
            resume_if_nobody_waits(source);
        }
        match self.to {
            Destination::Socket { dest, .. } => dest.emit_later_if_running(event::Unpipe, source),
            Destination::Writer(writer) => {
                // A busy one is not asked.
                let flushed = writer.try_borrow_mut().map(|mut writer| writer.flush());
                if let Ok(Err(error)) = flushed {
                    source.destroy_with(Error::os("write", &error));
                }
            }
        }
    }
}

/// All destinations have drained, or are gone: whoever else listens goes on.
fn resume_if_nobody_waits(source: Socket) {
    let waiting = with_pipes(source, |pipes| pipes.list.iter().any(Pipe::is_waiting));
    let has_listeners = SocketDriver::with(source.key(), |driver| driver.has_chunk_listeners());
    if waiting == Some(false) && has_listeners == Some(true) {
        source.resume();
    }
}

/// Asks the pipes of a socket that has, or had, some.
fn with_pipes<R>(source: Socket, f: impl FnOnce(&mut Pipes) -> R) -> Option<R> {
    SocketDriver::with(source.key(), |driver| {
        driver.state.extras(|extras| f(&mut extras.pipes))
    })
    .flatten()
}

/// Adds or removes some.
fn change_pipes<R>(source: Socket, f: impl FnOnce(&mut Pipes) -> R) -> Option<R> {
    SocketDriver::with(source.key(), |driver| {
        driver.state.with_extras(|extras| {
            let result = f(&mut extras.pipes);
            driver.state.bits.reads_much().set(extras.pipes.take_much());
            result
        })
    })
}
