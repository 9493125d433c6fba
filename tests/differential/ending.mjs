// How sockets end: `end`, half-close, `destroy`, resets.

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

export function destroy_with_an_error_fails_what_comes_after(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.write('early', t.cb('c', 'early'));
    setImmediate(() => t.log('c', 'immediate'));
    c.destroy(Object.assign(new Error('mine'), { code: 'MINE' }));
    t.state(c, 'c');
    t.write(c, 'c', 'late');
    c.end(t.cb('c', 'end'));
    c.destroy(Object.assign(new Error('other'), { code: 'OTHER' }));
  });
}

export function destroy_without_an_error(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.write('early', t.cb('c', 'early'));
    c.destroy();
    t.write(c, 'c', 'late');
  });
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

export function write_after_end_destroys(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.end('x', t.cb('c', 'end'));
    t.write(c, 'c', 'late');
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

export function reset_with_a_written_chunk(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.on(s, 's');
    c.write('chunk', t.cb('c', 'write'));
    c.resetAndDestroy();
  });
}
