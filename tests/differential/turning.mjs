// The turn of the loop: ticks, immediates, timers, closing; and idle timeouts.
import net from 'node:net';

export function ticks_immediates_and_timers_of_a_data_listener(t) {
  t.pair((c, s) => {
    s.end('x');
    c.on('close', () => t.log('c', 'close'));
    c.once('data', () => {
      setTimeout(() => t.log('c', 'timeout'), 0);
      setImmediate(() => {
        t.log('c', 'immediate 1');
        process.nextTick(() => t.log('c', 'tick of immediate 1'));
      });
      setImmediate(() => t.log('c', 'immediate 2'));
      process.nextTick(() => {
        t.log('c', 'tick 1');
        process.nextTick(() => t.log('c', 'tick of tick 1'));
      });
      process.nextTick(() => t.log('c', 'tick 2'));
      c.destroy();
      t.log('c', 'end of the listener');
    });
  });
}

export function what_a_close_listener_queues(t) {
  t.pair((c, s) => {
    s.resume();
    c.on('close', () => {
      t.log('c', 'close');
      setImmediate(() => t.log('c', 'immediate'));
      process.nextTick(() => t.log('c', 'tick'));
    });
    c.destroy();
  });
}

export function destroyed_in_a_close_listener(t) {
  t.pair((c, s) => {
    s.on('close', () => t.log('order', 's'));
    c.on('close', () => {
      t.log('order', 'c');
      s.destroy();
      setImmediate(() => t.log('order', 'immediate'));
    });
    c.destroy();
  });
}

export function immediate_of_an_immediate_waits_for_the_next_turn(t) {
  t.pair((c, s) => {
    c.on('close', () => t.log('c', 'close'));
    c.on('data', () => {
      setImmediate(() => {
        t.log('c', 'immediate 1');
        setImmediate(() => t.log('c', 'immediate of immediate 1'));
        c.destroy();
      });
      setImmediate(() => t.log('c', 'immediate 2'));
    });
    s.end('x');
  });
}

export function destroyed_in_a_timer(t) {
  t.pair((c, s) => {
    s.resume();
    c.on('close', () => t.log('c', 'close'));
    setTimeout(() => {
      c.destroy();
      setImmediate(() => t.log('c', 'immediate'));
      process.nextTick(() => t.log('c', 'tick'));
    }, 1);
  });
}

export function timers_of_equal_delays(t) {
  for (const name of ['one', 'two', 'three']) {
    setTimeout(() => {
      t.log('t', name);
      process.nextTick(() => t.log('t', `tick of ${name}`));
    }, 5);
  }
}

export function timers_of_different_delays(t) {
  setTimeout(() => t.log('t', '30'), 30);
  setTimeout(() => t.log('t', '20'), 20);
  setTimeout(() => t.log('t', '10'), 10);
}

export function cleared_by_another_timer_of_the_same_time(t) {
  setTimeout(() => { t.log('t', 'one'); clearTimeout(second); }, 5);
  const second = setTimeout(() => t.log('t', 'two'), 5);
  setTimeout(() => t.log('t', 'three'), 5);
}

export function interval_that_ends_itself(t) {
  let count = 0;
  const interval = setInterval(() => {
    t.log('t', `${++count}`);
    if (count === 3) clearInterval(interval);
  }, 1);
}

export function immediate_cleared_by_the_one_before_it(t) {
  setImmediate(() => { t.log('t', 'one'); clearImmediate(second); });
  const second = setImmediate(() => t.log('t', 'two'));
  setImmediate(() => t.log('t', 'three'));
}

export function unreferenced_timers_and_immediates_do_not_keep_the_loop_alive(t) {
  setTimeout(() => t.log('t', 'timeout'), 1000).unref();
  setImmediate(() => t.log('t', 'immediate'));
}

export function immediate_before_timeout_in_an_io_callback(t) {
  t.pair((c, s) => {
    c.on('data', () => {
      setTimeout(() => t.log('c', 'timeout'), 0);
      setImmediate(() => t.log('c', 'immediate'));
    });
    s.end('x');
  });
}

export function error_before_immediates_before_close(t) {
  t.pair((c, s) => {
    s.resume();
    c.on('data', () => {
      setImmediate(() => t.log('c', 'immediate'));
      c.destroy(t.error('MINE'));
      process.nextTick(() => t.log('c', 'tick'));
    });
    c.on('error', () => t.log('c', 'error'));
    c.on('close', () => t.log('c', 'close'));
    s.write('x');
  });
}

export function write_callbacks_and_ticks(t) {
  t.pair((c, s) => {
    s.resume();
    process.nextTick(() => t.log('c', 'tick 1'));
    t.write(c, 'c', 'one');
    process.nextTick(() => t.log('c', 'tick 2'));
    c.end(t.cb('c', 'end'));
    setImmediate(() => t.log('c', 'immediate'));
  });
}

export function listeners_that_change_while_they_are_called(t) {
  t.pair((c, s) => {
    const second = () => { t.log('c', 'second'); };
    c.on('end', () => {
      t.log('c', 'first');
      c.off('end', second);
      c.on('end', () => t.log('c', 'never'));
    });
    c.on('end', second);
    c.once('end', () => t.log('c', 'once'));
    c.prependListener('end', () => t.log('c', 'zeroth'));
    c.resume();
    s.end();
  });
}

export function idle_timeout_tells_once(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.resume();
    c.setTimeout(10);
    t.log('c', `${c.timeout}`);
    setTimeout(() => c.destroy(), 100);
  });
}

export function idle_timeout_with_a_callback(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.setTimeout(10, () => { t.log('c', 'called'); c.end(); });
  });
}

export function idle_timeout_starts_anew_by_a_write(t) {
  let count = 0;
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.setTimeout(10);
    c.on('timeout', () => {
      if (++count === 3) c.destroy();
      else c.write('x');
    });
  });
}

export function idle_timeout_starts_anew_by_data(t) {
  let count = 0;
  t.pair((c, s) => {
    t.flow(c, 'c');
    s.resume();
    c.setTimeout(10);
    c.on('timeout', () => {
      if (++count === 2) c.destroy();
      else s.write('x');
    });
  });
}

export function idle_timeout_can_be_taken_back(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.resume();
    c.setTimeout(10);
    c.setTimeout(0);
    t.log('c', `${c.timeout}`);
    setTimeout(() => c.destroy(), 50);
  });
}

export function idle_timeout_of_a_destroyed_socket(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.resume();
    c.setTimeout(10);
    c.destroy();
    c.setTimeout(10);
    setTimeout(() => t.log('c', 'later'), 50);
  });
}

export function idle_timeout_before_there_is_a_connection(t) {
  const c = t.on(new net.Socket(), 'c');
  c.setTimeout(10);
  setTimeout(() => { t.state(c, 'c'); c.destroy(); }, 100);
}

export function idle_timeout_does_not_keep_the_loop_alive(t) {
  const c = t.on(new net.Socket(), 'c');
  c.setTimeout(10);
}

export function idle_timeout_of_a_paused_socket_with_data(t) {
  t.pair((c, s) => {
    t.on(s, 's');
    c.write('unread');
    s.setTimeout(20);
    s.on('timeout', () => s.destroy());
    c.on('error', () => {});
  }, { server: { pauseOnConnect: true } });
}

export function idle_timeout_in_the_options(t) {
  t.serve((port) => {
    const c = t.on(net.connect({ port, host: '127.0.0.1', timeout: 20 }), 'c');
    t.log('c', `${c.timeout}`);
    c.on('timeout', () => c.end());
    c.resume();
  });
}
