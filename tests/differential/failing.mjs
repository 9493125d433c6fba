// Whose error a write gets that does not go out, what the getters say meanwhile, and the order of
// callbacks that wait for no byte.
import net from 'node:net';

const paused = { server: { pauseOnConnect: true } };
const MUCH = 16 << 20;

// A callback that also records how much is queued when it is called.
function withLength(t, c, name) {
  return (error) => { t.cb('c', name)(error); t.log('c', `queued ${c.writableLength}`); };
}

// The server's end, whose peer has gone, and which has not noticed.
function deserted(t, then) {
  t.pair((c, s) => { c.resetAndDestroy(); t.turns(10, () => then(t.on(s, 's'))); }, paused);
}

export function empty_writes_have_a_tick_each(t) {
  t.pair((c, s) => {
    t.flow(s, 's');
    t.write(c, 'c', '');
    process.nextTick(() => t.log('c', 'tick'));
    t.write(c, 'c', '');
    process.nextTick(() => t.log('c', 'tick'));
    c.cork();
    t.write(c, 'c', '');
    t.write(c, 'c', '');
    c.uncork();
    process.nextTick(() => t.log('c', 'tick'));
    c.destroySoon();
  });
}

export function empty_writes_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    t.write(c, 'c', '');
    t.write(c, 'c', '');
    t.write(c, 'c', 'one');
    t.write(c, 'c', '');
    c.on('ready', () => c.end());
  });
}

export function empty_writes_behind_a_request(t) {
  t.pair((c, s) => {
    c.write(Buffer.alloc(MUCH));
    t.write(c, 'c', '');
    t.write(c, 'c', '');
    c.on('drain', () => { t.log('c', 'drain'); process.nextTick(() => t.log('c', 'tick')); c.end(); });
    setImmediate(() => { s.on('data', () => {}); s.resume(); });
  }, paused);
}

export function drain_of_what_is_corked_in_drain(t) {
  t.pair((c, s) => {
    t.flow(s, 's');
    t.on(c, 'c');
    let times = 0;
    c.on('drain', () => {
      t.state(c, 'c');
      if (times++ > 1) return c.end();
      c.cork();
      c.write('again and again');
      c.uncork();
      t.state(c, 'c');
    });
    c.cork();
    t.write(c, 'c', 'first');
    c.uncork();
    t.write(c, 'c', 'second');
  }, { client: { highWaterMark: 4 } });
}

export function drain_of_what_is_corked_in_a_callback(t) {
  t.pair((c, s) => {
    t.flow(s, 's');
    t.on(c, 'c');
    c.write('first', () => {
      t.log('c', 'cb:first');
      c.cork();
      t.log('c', `${c.write('corked')}`);
      c.uncork();
    });
    t.write(c, 'c', 'second');
    c.on('drain', () => c.end());
  }, { client: { highWaterMark: 4 } });
}

export function a_request_without_a_callback_keeps_its_error(t) {
  t.pair((c) => {
    t.on(c, 'c');
    c.write(Buffer.alloc(MUCH));
    t.write(c, 'c', 'one');
    t.write(c, 'c', '');
    c.destroy(t.error('MINE'));
  }, paused);
}

export function a_request_without_a_callback_keeps_its_error_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    c.write('parked');
    t.write(c, 'c', 'one');
    c.destroy(t.error('MINE'));
    net.connect(port, '127.0.0.1').end();
  });
}

export function a_parked_batch_fails_as_one(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    c.cork();
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    c.uncork();
    t.write(c, 'c', 'three');
    c.destroy(t.error('MINE'));
    net.connect(port, '127.0.0.1').end();
  });
}

export function destroyed_in_connect_before_what_is_parked(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    c.on('connect', () => c.destroy(t.error('MINE')));
    t.on(c, 'c');
    c.write('parked');
    t.write(c, 'c', 'one');
  });
}

export function the_peers_reset_is_the_error_of_what_is_queued(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.write(Buffer.alloc(MUCH));
    t.write(c, 'c', 'one');
    setImmediate(() => s.resetAndDestroy());
  }, paused);
}

export function the_length_falls_write_by_write(t) {
  t.pair((c) => {
    c.write(Buffer.alloc(MUCH), withLength(t, c, 'big'));
    c.write('one', withLength(t, c, 'one'));
    c.write('three', withLength(t, c, 'three'));
    c.on('close', () => t.log('c', `close, queued ${c.writableLength}`));
    c.destroy();
    t.log('c', `${c.writableLength > MUCH}`);
  }, paused);
}

export function nothing_is_queued_in_close_after_a_write_was_cut_off(t) {
  t.pair((c) => {
    t.watch(c, 'c');
    c.write(Buffer.alloc(MUCH));
    t.turns(3, () => c.destroy());
  }, paused);
}

export function a_refused_write_and_what_follows_in_its_callback(t) {
  deserted(t, (s) => {
    t.writeBytes(s, 's', 20000);
    t.log('s', `${s.errored?.code} ${s.writable} ${s.bytesWritten} ${s.writableLength}`);
    t.write(s, 's', 'behind');
    t.log('s', `${s.bytesWritten} ${s.writableLength}`);
    t.end(s, 's', '');
    t.state(s, 's');
    process.nextTick(() => t.state(s, 's'));
  });
}

export function an_end_behind_a_write_that_is_refused(t) {
  deserted(t, (s) => {
    s.write('small');
    t.end(s, 's', '');
    t.state(s, 's');
  });
}

export function the_last_data_is_refused(t) {
  deserted(t, (s) => {
    t.end(s, 's', 'last');
    t.state(s, 's');
  });
}

export function corked_writes_are_refused_together(t) {
  deserted(t, (s) => {
    s.cork();
    s.write('one', (error) => { t.cb('s', 'one')(error); t.log('s', `queued ${s.writableLength}`); });
    s.write('two', (error) => { t.cb('s', 'two')(error); t.log('s', `queued ${s.writableLength}`); });
    s.uncork();
    t.state(s, 's');
    s.destroy(t.error('MINE'));
  });
}

export function end_after_destroy_counts(t) {
  t.pair((c) => {
    t.on(c, 'c');
    c.destroy();
    c.end();
    t.state(c, 'c');
    t.write(c, 'c', 'late');
    c.end('late too', t.cb('c', 'end'));
  });
}

export function end_after_destroy_with_an_error_does_not_count(t) {
  t.pair((c) => {
    t.on(c, 'c');
    c.destroy(t.error('MINE'));
    c.end();
    t.state(c, 'c');
    t.write(c, 'c', 'late');
  });
}

export function last_data_after_destroy_does_not_count(t) {
  t.pair((c) => {
    t.on(c, 'c');
    c.destroy();
    c.end('late', t.cb('c', 'end'));
    t.state(c, 'c');
  });
}

export function data_after_the_end_uncorks(t) {
  t.pair((c) => {
    t.on(c, 'c');
    c.end();
    c.cork();
    t.log('c', `${c.writableCorked}`);
    c.end('late', t.cb('c', 'end'));
    t.log('c', `${c.writableCorked}`);
  });
}
