//! Sockets joined: pipes, `finished`, `pipeline`.

use soquete::event;
use soquete::net::{PipeOptions, Socket};
use soquete::stream::{self, FinishedOptions};

use crate::trace::{Trace, ignore};

crate::family!("joining":
    echo_by_pipe,
    pipe_passes_the_end_on,
    pipe_without_end,
    pipe_to_a_destroyed_socket,
    pipe_to_a_socket_that_is_ending,
    unpipe_pauses_and_keeps,
    unpipe_of_everything,
    destination_destroyed_while_piped,
    destination_fails_and_nobody_listens,
    destination_fails_and_somebody_listens,
    paused_source_is_resumed_by_pipe,
    two_pipes_to_one_destination,
    pipe_of_a_source_that_has_ended,
    finished_when_both_halves_have_ended,
    finished_comes_in_the_order_of_the_listeners,
    finished_for_one_side,
    finished_after_a_reset,
    finished_of_a_socket_that_is_destroyed,
    finished_of_a_socket_destroyed_with_an_error,
    finished_of_a_side_that_has_ended,
    finished_that_is_cancelled,
    pipeline_of_two_that_ends,
    pipeline_whose_source_is_reset,
    pipeline_whose_destination_is_reset,
    pipeline_whose_destination_is_destroyed,
    pipeline_whose_destination_ends_too_early,
    pipeline_of_three,
);

/// Two connections: what is written to `sender` comes out of `source`; what goes into `dest` arrives
/// at `reader`.
#[derive(Clone, Copy)]
struct Two {
    sender: Socket,
    source: Socket,
    dest: Socket,
    reader: Socket,
}

fn two(t: Trace, then: impl FnOnce(Two) + 'static) {
    t.pair(move |source, sender| {
        t.pair(move |dest, reader| {
            then(Two {
                sender,
                source,
                dest,
                reader,
            });
        });
    });
}

fn echo_by_pipe(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        t.on(s, "s");
        s.pipe(s);
        c.end_with("there and back");
    });
}

fn pipe_passes_the_end_on(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.flow(reader, "reader");
            t.log("dest", format!("returned {}", source.pipe(dest) == dest));
            t.state(source, "source");
            sender.end_with("x");
        },
    );
}

fn pipe_without_end(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.flow(reader, "reader");
            source.pipe_with(dest, PipeOptions::new().end(false));
            source.on(event::Close, move |_| ignore(dest.end_with("y")));
            sender.end_with("x");
        },
    );
}

fn pipe_to_a_destroyed_socket(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  ..
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            dest.destroy();
            source.pipe(dest);
            t.turns(5, move || {
                t.state(source, "source");
                source.destroy();
                sender.destroy();
            });
        },
    );
}

fn pipe_to_a_socket_that_is_ending(t: Trace) {
    two(
        t,
        move |Two {
                  source,
                  dest,
                  reader,
                  ..
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            dest.end();
            source.pipe(dest);
            reader.resume();
            dest.on(event::Close, move |_| ignore(source.destroy()));
        },
    );
}

fn unpipe_pauses_and_keeps(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            source.pipe(dest);
            sender.write("one");
            reader.once(event::Data, move |_| {
                source.unpipe(dest);
                source.unpipe(dest);
                t.state(source, "source");
                sender.end_with("two");
                t.until(
                    move || source.readable_length() == 3,
                    move || {
                        source.resume();
                        dest.destroy();
                    },
                );
            });
        },
    );
}

fn unpipe_of_everything(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.on(reader, "reader");
            source.pipe(dest);
            source.pipe(reader);
            source.unpipe_all();
            source.unpipe_all();
            t.state(source, "source");
            for socket in [sender, source, dest, reader] {
                socket.destroy();
            }
        },
    );
}

fn destination_destroyed_while_piped(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  ..
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            source.pipe(dest);
            dest.destroy();
            dest.on(event::Close, move |_| {
                t.state(source, "source");
                source.destroy();
                sender.destroy();
            });
        },
    );
}

fn destination_fails_and_nobody_listens(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  ..
              }| {
            t.on(source, "source");
            source.pipe(dest);
            dest.on(event::Unpipe, move |_| t.log("dest", "unpipe"));
            dest.on(event::Close, move |had_error| {
                t.log("dest", format!("close({had_error})"));
                source.destroy();
                sender.destroy();
            });
            dest.destroy_with(t.error("EGONE"));
        },
    );
}

fn destination_fails_and_somebody_listens(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  ..
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            source.pipe(dest);
            dest.destroy_with(t.error("EGONE"));
            dest.on(event::Close, move |_| {
                source.destroy();
                sender.destroy();
            });
        },
    );
}

fn paused_source_is_resumed_by_pipe(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.flow(reader, "reader");
            source.pause();
            source.pipe(dest);
            t.state(source, "source");
            sender.end_with("x");
        },
    );
}

fn two_pipes_to_one_destination(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.flow(reader, "reader");
            source.pipe(dest);
            source.pipe(dest);
            sender.end_with("x");
        },
    );
}

fn pipe_of_a_source_that_has_ended(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.flow(reader, "reader");
            source.set_allow_half_open(true);
            source.resume();
            sender.end();
            source.on(event::End, move |()| {
                t.turns(2, move || {
                    source.pipe(dest);
                    reader.on(event::End, move |()| ignore(source.end()));
                });
            });
        },
    );
}

fn finished_when_both_halves_have_ended(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        stream::finished(c, t.cb("c", "finished"));
        s.resume().end();
    });
}

fn finished_comes_in_the_order_of_the_listeners(t: Trace) {
    t.pair(move |c, s| {
        stream::finished(c, t.cb("c", "finished"));
        t.flow(c, "c");
        s.resume().end();
    });
}

const READING: fn() -> FinishedOptions = || FinishedOptions::new().writable(false);
const WRITING: fn() -> FinishedOptions = || FinishedOptions::new().readable(false);

fn finished_for_one_side(t: Trace) {
    t.pair(move |c, s| {
        stream::finished_with(c, READING(), t.cb("c", "read"));
        stream::finished_with(c, WRITING(), t.cb("c", "written"));
        t.flow(c, "c");
        s.resume().end();
    });
}

fn finished_after_a_reset(t: Trace) {
    t.pair(move |c, s| {
        stream::finished(c, t.cb("c", "finished"));
        t.flow(c, "c");
        let _reset = s.reset_and_destroy();
    });
}

fn finished_of_a_socket_that_is_destroyed(t: Trace) {
    t.pair(move |c, s| {
        stream::finished(c, t.cb("c", "finished"));
        t.flow(c, "c");
        c.destroy();
        stream::finished(c, t.cb("c", "late"));
        t.log("c", "destroyed");
        s.resume();
    });
}

fn finished_of_a_socket_destroyed_with_an_error(t: Trace) {
    t.pair(move |c, s| {
        stream::finished(c, t.cb("c", "finished"));
        c.destroy_with(t.error("EGONE"));
        stream::finished(c, t.cb("c", "late"));
        t.log("c", "destroyed");
        s.resume();
    });
}

fn finished_of_a_side_that_has_ended(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        c.set_allow_half_open(true);
        s.end();
        c.on(event::End, move |()| {
            t.turns(2, move || {
                stream::finished_with(c, READING(), t.cb("c", "read"));
                t.log("c", "asked");
                c.end();
            });
        });
    });
}

fn finished_that_is_cancelled(t: Trace) {
    t.pair(move |c, s| {
        t.flow(c, "c");
        stream::finished(c, t.cb("c", "finished")).cancel();
        s.resume().end();
    });
}

fn pipeline_of_two_that_ends(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.flow(dest, "dest");
            t.flow(reader, "reader");
            reader.set_allow_half_open(true);
            stream::pipeline([source, dest], move |outcome| {
                t.cb("dest", "pipeline")(outcome);
                t.state(dest, "dest");
                reader.end_with("reply");
            });
            sender.end_with("x");
        },
    );
}

fn pipeline_whose_source_is_reset(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.flow(reader, "reader");
            stream::pipeline([source, dest], t.cb("dest", "pipeline"));
            let _reset = sender.reset_and_destroy();
        },
    );
}

fn pipeline_whose_destination_is_reset(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.flow(sender, "sender");
            stream::pipeline([source, dest], t.cb("source", "pipeline"));
            let _reset = reader.reset_and_destroy();
        },
    );
}

fn pipeline_whose_destination_is_destroyed(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.on(dest, "dest");
            t.flow(sender, "sender");
            stream::pipeline([source, dest], t.cb("source", "pipeline"));
            reader.resume();
            dest.destroy();
        },
    );
}

fn pipeline_whose_destination_ends_too_early(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest,
                  reader,
              }| {
            t.on(source, "source");
            t.flow(dest, "dest");
            t.flow(sender, "sender");
            stream::pipeline([source, dest], t.cb("source", "pipeline"));
            reader.end();
            reader.resume();
        },
    );
}

fn pipeline_of_three(t: Trace) {
    two(
        t,
        move |Two {
                  sender,
                  source,
                  dest: middle,
                  reader: far,
              }| {
            t.pair(move |dest, reader| {
                far.pipe(far);
                t.on(source, "source");
                t.on(middle, "middle");
                t.on(dest, "dest");
                t.flow(reader, "reader");
                stream::pipeline([source, middle, dest], t.cb("dest", "pipeline"));
                sender.end_with("x");
            });
        },
    );
}
