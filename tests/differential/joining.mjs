// Sockets joined: pipes, `finished`, `pipeline`.
import { finished, pipeline } from 'node:stream';

// Two connections: what is written to `sender` comes out of `source`; what goes into `dest` arrives
// at `reader`.
function two(t, then) {
  t.pair((source, sender) => {
    t.pair((dest, reader) => then({ sender, source, dest, reader }));
  });
}

export function echo_by_pipe(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.on(s, 's');
    s.pipe(s);
    c.end('there and back');
  });
}

export function pipe_passes_the_end_on(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.flow(reader, 'reader');
    t.log('dest', `returned ${source.pipe(dest) === dest}`);
    t.state(source, 'source');
    sender.end('x');
  });
}

export function pipe_without_end(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.flow(reader, 'reader');
    source.pipe(dest, { end: false });
    source.on('close', () => dest.end('y'));
    sender.end('x');
  });
}

export function pipe_to_a_destroyed_socket(t) {
  two(t, ({ sender, source, dest }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    dest.destroy();
    source.pipe(dest);
    t.turns(5, () => {
      t.state(source, 'source');
      source.destroy();
      sender.destroy();
    });
  });
}

export function pipe_to_a_socket_that_is_ending(t) {
  two(t, ({ source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    dest.end();
    source.pipe(dest);
    reader.resume();
    dest.on('close', () => source.destroy());
  });
}

export function unpipe_pauses_and_keeps(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    source.pipe(dest);
    sender.write('one');
    reader.once('data', () => {
      source.unpipe(dest);
      source.unpipe(dest);
      t.state(source, 'source');
      sender.end('two');
      t.until(() => source.readableLength === 3, () => {
        source.resume();
        dest.destroy();
      });
    });
  });
}

export function unpipe_of_everything(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.on(reader, 'reader');
    source.pipe(dest);
    source.pipe(reader);
    source.unpipe();
    source.unpipe();
    t.state(source, 'source');
    for (const socket of [sender, source, dest, reader]) socket.destroy();
  });
}

export function destination_destroyed_while_piped(t) {
  two(t, ({ sender, source, dest }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    source.pipe(dest);
    dest.destroy();
    dest.on('close', () => {
      t.state(source, 'source');
      source.destroy();
      sender.destroy();
    });
  });
}

export function destination_fails_and_nobody_listens(t) {
  two(t, ({ sender, source, dest }) => {
    t.on(source, 'source');
    source.pipe(dest);
    dest.on('unpipe', () => t.log('dest', 'unpipe'));
    dest.on('close', (error) => {
      t.log('dest', `close(${error})`);
      source.destroy();
      sender.destroy();
    });
    dest.destroy(t.error('EGONE'));
  });
}

export function destination_fails_and_somebody_listens(t) {
  two(t, ({ sender, source, dest }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    source.pipe(dest);
    dest.destroy(t.error('EGONE'));
    dest.on('close', () => {
      source.destroy();
      sender.destroy();
    });
  });
}

export function paused_source_is_resumed_by_pipe(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.flow(reader, 'reader');
    source.pause();
    source.pipe(dest);
    t.state(source, 'source');
    sender.end('x');
  });
}

export function two_pipes_to_one_destination(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.flow(reader, 'reader');
    source.pipe(dest);
    source.pipe(dest);
    sender.end('x');
  });
}

export function pipe_of_a_source_that_has_ended(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.flow(reader, 'reader');
    source.allowHalfOpen = true;
    source.resume();
    sender.end();
    source.on('end', () => t.turns(2, () => {
      source.pipe(dest);
      reader.on('end', () => source.end());
    }));
  });
}

export function finished_when_both_halves_have_ended(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    finished(c, t.cb('c', 'finished'));
    s.resume().end();
  });
}

export function finished_comes_in_the_order_of_the_listeners(t) {
  t.pair((c, s) => {
    finished(c, t.cb('c', 'finished'));
    t.flow(c, 'c');
    s.resume().end();
  });
}

export function finished_for_one_side(t) {
  t.pair((c, s) => {
    finished(c, { writable: false }, t.cb('c', 'read'));
    finished(c, { readable: false }, t.cb('c', 'written'));
    t.flow(c, 'c');
    s.resume().end();
  });
}

export function finished_after_a_reset(t) {
  t.pair((c, s) => {
    finished(c, t.cb('c', 'finished'));
    t.flow(c, 'c');
    s.resetAndDestroy();
  });
}

export function finished_of_a_socket_that_is_destroyed(t) {
  t.pair((c, s) => {
    finished(c, t.cb('c', 'finished'));
    t.flow(c, 'c');
    c.destroy();
    finished(c, t.cb('c', 'late'));
    t.log('c', 'destroyed');
    s.resume();
  });
}

export function finished_of_a_socket_destroyed_with_an_error(t) {
  t.pair((c, s) => {
    finished(c, t.cb('c', 'finished'));
    c.destroy(t.error('EGONE'));
    finished(c, t.cb('c', 'late'));
    t.log('c', 'destroyed');
    s.resume();
  });
}

export function finished_of_a_side_that_has_ended(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    c.allowHalfOpen = true;
    s.end();
    c.on('end', () => t.turns(2, () => {
      finished(c, { writable: false }, t.cb('c', 'read'));
      t.log('c', 'asked');
      c.end();
    }));
  });
}

export function finished_that_is_cancelled(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    finished(c, t.cb('c', 'finished'))();
    s.resume().end();
  });
}

export function pipeline_of_two_that_ends(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.flow(dest, 'dest');
    t.flow(reader, 'reader');
    reader.allowHalfOpen = true;
    pipeline(source, dest, (error) => {
      t.cb('dest', 'pipeline')(error);
      t.state(dest, 'dest');
      reader.end('reply');
    });
    sender.end('x');
  });
}

export function pipeline_whose_source_is_reset(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.flow(reader, 'reader');
    pipeline(source, dest, t.cb('dest', 'pipeline'));
    sender.resetAndDestroy();
  });
}

export function pipeline_whose_destination_is_reset(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.flow(sender, 'sender');
    pipeline(source, dest, t.cb('source', 'pipeline'));
    reader.resetAndDestroy();
  });
}

export function pipeline_whose_destination_is_destroyed(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.on(dest, 'dest');
    t.flow(sender, 'sender');
    pipeline(source, dest, t.cb('source', 'pipeline'));
    reader.resume();
    dest.destroy();
  });
}

export function pipeline_whose_destination_ends_too_early(t) {
  two(t, ({ sender, source, dest, reader }) => {
    t.on(source, 'source');
    t.flow(dest, 'dest');
    t.flow(sender, 'sender');
    pipeline(source, dest, t.cb('source', 'pipeline'));
    reader.end();
    reader.resume();
  });
}

export function pipeline_of_three(t) {
  two(t, ({ sender, source, dest: middle, reader: far }) => {
    t.pair((dest, reader) => {
      far.pipe(far);
      t.on(source, 'source');
      t.on(middle, 'middle');
      t.on(dest, 'dest');
      t.flow(reader, 'reader');
      pipeline(source, middle, dest, t.cb('dest', 'pipeline'));
      sender.end('x');
    });
  });
}
