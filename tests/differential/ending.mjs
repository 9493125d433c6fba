// How sockets end: `end`, half-close, writes that come too late.

export function both_halves_end(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.end('bye', t.cb('c', 'end'));
    t.state(c, 'c');
  });
}

export function server_side_may_stay_half_open(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.end('early');
    s.on('end', () => {
      t.state(s, 's');
      s.write('late', t.cb('s', 'write'));
      s.end(t.cb('s', 'end'));
    });
  }, { server: { allowHalfOpen: true } });
}

export function client_side_may_stay_half_open(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    s.end('early');
    c.on('end', () => {
      t.state(c, 'c');
      c.write('late', t.cb('c', 'write'));
      c.end(t.cb('c', 'end'));
    });
  }, { client: { allowHalfOpen: true } });
}

export function end_twice_calls_both_back(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.end('x', t.cb('c', 'first'));
    c.end(t.cb('c', 'second'));
  });
}

export function end_in_finish_is_too_late(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.on('finish', () => {
      c.end(t.cb('c', 'third'));
      c.end('more', t.cb('c', 'fourth'));
    });
    c.end();
  });
}

export function write_in_end_listener_succeeds(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    s.end();
    c.on('end', () => {
      t.write(c, 'c', 'now');
      process.nextTick(() => t.write(c, 'c', 'tick'));
    });
  });
}

export function end_listener_and_the_rest_of_the_turn(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    s.on('end', () => {
      setTimeout(() => t.log('s', 'timeout'), 0);
      setImmediate(() => t.log('s', 'immediate'));
      process.nextTick(() => t.log('s', 'tick'));
    });
    c.end('bye');
  });
}

export function both_sides_end_at_once(t) {
  t.pair((c, s) => {
    t.halves(c, 'c');
    t.halves(s, 's');
    t.end(c, 'c>', 'from c');
    t.end(s, 's>', 'from s');
  });
}

export function second_write_to_a_peer_that_is_gone_is_a_broken_pipe(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    s.on('end', () => {
      s.write('first', (error) => {
        t.cb('s', 'first')(error);
        t.turns(5, () => s.write('second', t.cb('s', 'second')));
      });
    });
    c.destroy();
  }, { server: { allowHalfOpen: true } });
}

export function write_after_the_end_that_followed_the_peers(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    s.on('end', () => setImmediate(() => t.write(s, 's', 'late')));
    c.end();
  });
}

export function write_while_the_end_that_followed_the_peers_is_on_its_way(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    s.on('end', () => process.nextTick(() => process.nextTick(() => t.write(s, 's', 'late'))));
    c.end();
  });
}

export function peer_ends_while_much_is_queued(t) {
  t.pair((c, s) => {
    t.watch(c, 'c');
    let received = 0;
    s.on('end', () => t.log('s', `end after ${received}`));
    c.on('end', () => setImmediate(() => {
      t.state(c, 'c');
      s.on('data', (chunk) => { received += chunk.length; });
      s.resume();
    }));
    t.writeBytes(c, 'c', 16 << 20);
    s.end();
  }, { server: { pauseOnConnect: true } });
}

export function one_more_write_while_much_is_queued_drops_it(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    s.on('end', () => t.log('s', 'end'));
    s.on('error', () => t.log('s', 'error'));
    s.on('close', (hadError) => t.log('s', `close(${hadError})`));
    c.on('end', () => setImmediate(() => {
      t.write(c, 'c', 'late');
      s.on('data', () => {});
      s.resume();
    }));
    t.writeBytes(c, 'c', 16 << 20);
    s.end();
  }, { server: { pauseOnConnect: true } });
}

export function end_in_the_end_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('end', () => { t.end(c, 'c', 'bye'); t.state(c, 'c'); });
    s.end();
  });
}

export function end_in_the_data_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('data', () => t.end(c, 'c', 'bye'));
    s.write('x');
  });
}

export function getters_through_a_whole_life(t) {
  t.pair((c, s) => {
    t.watch(c, 'c');
    t.watch(s, 's');
    c.end('x');
    s.on('end', () => s.end('y'));
  }, { server: { allowHalfOpen: true } });
}

export function allow_half_open_can_be_changed_in_time(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    s.on('end', () => { s.allowHalfOpen = true; setImmediate(() => t.end(s, 's', 'late')); });
    c.end();
  });
}

export function end_before_the_last_data_was_read(t) {
  t.pair((c, s) => {
    t.halves(c, 'c');
    t.halves(s, 's');
    c.write('a');
    c.end('b');
    s.end('c');
  });
}

export function second_end_in_a_later_turn(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    t.end(c, 'c', 'x');
    c.on('prefinish', () => c.end(t.cb('c', 'second')));
  });
}

export function write_after_end_behind_queued_writes(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.writeBytes(c, 'c', 16 << 20);
    t.write(c, 'c', 'queued');
    t.end(c, 'c', 'last');
    t.write(c, 'c', 'late');
    s.destroy();
  }, { server: { pauseOnConnect: true } });
}
