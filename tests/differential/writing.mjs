// What is written: queues, callbacks, `drain`, corks, the high-water mark.
import net from 'node:net';

const paused = { server: { pauseOnConnect: true } };

// Lets the other end read, which counts only.
function drinkLater(t, s) {
  setImmediate(() => { s.on('data', () => {}); s.resume(); });
}

export function callbacks_in_order(t) {
  t.pair((c, s) => {
    t.flow(s, 's');
    t.write(c, 'c', 'one');
    process.nextTick(() => t.log('c', 'tick'));
    t.write(c, 'c', 'two');
    c.write('three');
    t.write(c, 'c', 'four');
    t.log('c', `${c.bytesWritten} ${c.writableLength}`);
    c.destroySoon();
  });
}

export function drain_comes_before_the_callbacks(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'x');
    t.state(c, 'c');
    c.on('drain', () => { t.state(c, 'c'); c.end(); });
    drinkLater(t, s);
  }, paused);
}

export function no_drain_after_end(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.write(c, 'c', 'small');
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'a');
    t.write(c, 'c', 'b');
    t.end(c, 'c', 'last');
    t.state(c, 'c');
    drinkLater(t, s);
  }, paused);
}

export function what_the_kernel_takes_whole_needs_no_drain(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    drinkLater(t, s);
    t.writeBytes(c, 'c', c.writableHighWaterMark);
    t.state(c, 'c');
    t.turns(10, () => c.end());
  }, paused);
}

export function small_high_water_mark(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    drinkLater(t, s);
    t.log('c', `${c.writableHighWaterMark}`);
    t.write(c, 'c', 'more than that');
    t.writeBytes(c, 'c', 1000);
    t.state(c, 'c');
    c.end();
  }, { client: { highWaterMark: 4 }, server: { pauseOnConnect: true } });
}

export function corked_writes_go_out_together(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.cork();
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    t.state(c, 'c');
    process.nextTick(() => {
      t.log('c', 'tick');
      c.uncork();
      t.state(c, 'c');
      process.nextTick(() => t.log('c', 'tick'));
      c.end();
    });
  });
}

export function corks_are_counted(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.cork();
    c.cork();
    t.write(c, 'c', 'one');
    c.uncork();
    t.log('c', `${c.writableCorked} ${c.writableLength}`);
    setImmediate(() => {
      c.uncork();
      t.log('c', `${c.writableCorked} ${c.writableLength}`);
      c.uncork();
      t.end(c, 'c', 'two');
    });
  });
}

export function end_uncorks(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.cork();
    c.cork();
    t.write(c, 'c', 'one');
    t.end(c, 'c', 'two');
    t.state(c, 'c');
  });
}

export function corked_past_the_mark_drains(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.cork();
    t.write(c, 'c', 'abc');
    t.write(c, 'c', 'defgh');
    t.state(c, 'c');
    c.uncork();
    t.state(c, 'c');
    setImmediate(() => c.end());
  }, { client: { highWaterMark: 4 } });
}

export function destroy_while_corked(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.cork();
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    c.destroy();
  });
}

export function destroy_with_an_error_while_corked(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    t.write(c, 'c', 'zero');
    c.cork();
    t.write(c, 'c', 'one');
    t.write(c, 'c', '');
    c.destroy(t.error('MINE'));
  });
}

export function empty_writes_call_back(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    t.write(c, 'c', '');
    c.cork();
    t.write(c, 'c', '');
    setImmediate(() => { c.uncork(); t.end(c, 'c', ''); });
  });
}

export function write_in_a_callback_and_in_drain(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.once('drain', () => t.write(c, 'c', 'in drain'));
    c.write(Buffer.alloc(16 << 20), (error) => {
      t.cb('c', 'big')(error);
      t.write(c, 'c', 'in callback');
      setImmediate(() => c.end());
    });
    t.state(c, 'c');
    drinkLater(t, s);
  }, paused);
}

export function writes_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.flow(c, 'c');
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    t.write(c, 'c', 'three');
    t.log('c', `${c.bytesWritten}`);
    t.state(c, 'c');
    c.on('ready', () => t.end(c, 'c', 'four'));
  });
}

export function write_and_end_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.flow(c, 'c');
    t.write(c, 'c', 'a');
    t.end(c, 'c', 'b');
    t.log('c', `${c.bytesWritten}`);
    t.state(c, 'c');
  });
}

export function end_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.watch(c, 'c');
    t.end(c, 'c', '');
  });
}

export function write_in_the_connect_listener_behind_parked_ones(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    c.on('connect', () => t.write(c, 'c', 'before'));
    t.on(c, 'c');
    t.write(c, 'c', 'parked');
    c.on('connect', () => t.write(c, 'c', 'after'));
    c.on('ready', () => c.end());
  });
}

export function much_before_the_connection_drains_after_it(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    t.writeBytes(c, 'c', 100000);
    t.state(c, 'c');
    c.on('drain', () => t.end(c, 'c', ''));
  });
}

export function empty_write_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    t.write(c, 'c', '');
    c.on('ready', () => c.end());
  });
}

export function corked_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    c.cork();
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    c.on('connect', () => { t.state(c, 'c'); c.uncork(); t.state(c, 'c'); });
    c.on('ready', () => c.end());
  });
}

export function uncorked_before_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    c.cork();
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    c.uncork();
    t.write(c, 'c', 'three');
    c.on('ready', () => c.end());
  });
}

export function write_to_a_socket_that_is_not_connected(t) {
  const c = t.on(new net.Socket(), 'c');
  t.write(c, 'c', 'one');
  t.write(c, 'c', 'two');
  t.state(c, 'c');
}

export function end_of_a_socket_that_is_not_connected(t) {
  const c = t.on(new net.Socket(), 'c');
  t.end(c, 'c', '');
  t.state(c, 'c');
  setImmediate(() => t.state(c, 'c'));
}

export function destroy_with_a_write_on_its_way(t) {
  t.pair((c) => {
    t.on(c, 'c');
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    c.destroy();
    t.state(c, 'c');
  }, paused);
}

export function destroy_with_an_error_and_a_write_on_its_way(t) {
  t.pair((c) => {
    t.on(c, 'c');
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'one');
    t.end(c, 'c', 'two');
    c.destroy(t.error('MINE'));
  }, paused);
}

export function destroy_in_a_later_turn_with_a_write_on_its_way(t) {
  t.pair((c) => {
    t.on(c, 'c');
    t.write(c, 'c', 'zero');
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'one');
    c.end(t.cb('c', 'end'));
    t.turns(3, () => c.destroy());
  }, paused);
}

export function reset_by_the_peer_with_a_write_on_its_way(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'one');
    t.end(c, 'c', 'two');
    setImmediate(() => s.resetAndDestroy());
  }, paused);
}

export function destroy_in_drain(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('drain', () => c.destroy());
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'one');
    drinkLater(t, s);
  }, paused);
}

export function end_in_drain(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('drain', () => t.end(c, 'c', 'bye'));
    t.writeBytes(c, 'c', 16 << 20);
    drinkLater(t, s);
  }, paused);
}

export function cork_with_a_write_on_its_way(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.write(Buffer.alloc(16 << 20), (error) => {
      t.cb('c', 'big')(error);
      t.state(c, 'c');
      setImmediate(() => { c.uncork(); c.end(); });
    });
    c.cork();
    t.write(c, 'c', 'corked');
    drinkLater(t, s);
  }, paused);
}

export function callbacks_of_writes_from_several_turns(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    t.write(c, 'c', 'one');
    setImmediate(() => {
      t.write(c, 'c', 'two');
      setImmediate(() => t.end(c, 'c', 'three'));
    });
  });
}

export function many_listeners_write(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.on(s, 's');
    s.on('data', (chunk) => {
      t.data('s', chunk);
      t.write(s, 's', 'pong');
      process.nextTick(() => t.write(s, 's', 'tick'));
    });
    s.on('data', () => t.end(s, 's', 'bye'));
    c.write('ping');
  });
}

export function bytes_written_counts_what_is_queued_while_open(t) {
  t.pair((c) => {
    c.write(Buffer.alloc(1000));
    t.log('c', `${c.bytesWritten}`);
    c.write(Buffer.alloc(16 << 20));
    t.log('c', `${c.bytesWritten}`);
    c.write('queued');
    t.log('c', `${c.bytesWritten}`);
    c.destroy();
  }, paused);
}

export function a_big_write_counts_in_full_until_its_last_byte_is_taken(t) {
  t.pair((c, s) => {
    c.write('small');
    t.log('c', `${c.write(Buffer.alloc(16 << 20))} ${c.writableLength}`);
    c.write('queued');
    t.log('c', `${c.writableLength} ${c.bytesWritten}`);
    c.on('drain', () => { t.log('c', `drain ${c.writableLength}`); c.end(); });
    drinkLater(t, s);
  }, paused);
}
