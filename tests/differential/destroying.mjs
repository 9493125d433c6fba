// How sockets are destroyed and reset, by whom and when.
import net from 'node:net';

export function destroy_with_an_error_fails_what_comes_after(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.write('early', t.cb('c', 'early'));
    setImmediate(() => t.log('c', 'immediate'));
    c.destroy(t.error('MINE'));
    t.state(c, 'c');
    t.write(c, 'c', 'late');
    c.end(t.cb('c', 'end'));
    c.destroy(t.error('OTHER'));
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

export function write_after_end_destroys(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.end('x', t.cb('c', 'end'));
    t.write(c, 'c', 'late');
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

export function reset_reaches_a_reader(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    setImmediate(() => s.resetAndDestroy());
  });
}

export function reset_is_not_noticed_before_a_write_by_who_does_not_read(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.on(s, 's');
    c.on('close', () => t.turns(5, () => {
      t.state(s, 's');
      s.write('late', t.cb('s', 'late'));
    }));
    c.resetAndDestroy();
  }, { server: { pauseOnConnect: true } });
}

export function destroy_with_unread_data_resets_the_peer(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.on(s, 's');
    t.write(c, 'c', 'unread');
    t.turns(5, () => s.destroy());
  }, { server: { pauseOnConnect: true } });
}

export function reset_while_connecting_waits_for_the_connection(t) {
  const server = t.listen({}, (s) => { t.on(s, 's'); server.close(); }, (port) => {
    const c = t.on(net.connect(port, '127.0.0.1'), 'c');
    c.resetAndDestroy();
    t.state(c, 'c');
  });
}

export function reset_without_a_connection_is_an_error(t) {
  const c = t.on(new (net.Socket)(), 'c');
  c.resetAndDestroy();
  t.state(c, 'c');
}

export function reset_after_destroy_does_nothing(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.destroy();
    c.resetAndDestroy();
  });
}

export function sockets_close_in_reverse_order(t) {
  t.pair((c, s) => {
    for (const [socket, name] of [[c, 'c'], [s, 's']]) {
      socket.on('close', () => t.log('order', name));
    }
    c.destroy();
    s.destroy();
  });
}

export function destroy_soon_sends_what_is_queued(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    t.write(c, 'c', 'bye');
    c.destroySoon();
    t.state(c, 'c');
  });
}

export function destroy_soon_after_the_finish_is_at_once(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.on(s, 's');
    c.on('finish', () => { c.destroySoon(); t.state(c, 'c'); });
    c.end();
  });
}

export function destroy_in_the_data_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('data', () => {
      c.destroy();
      process.nextTick(() => t.log('c', 'tick'));
      setImmediate(() => t.log('c', 'immediate'));
      setTimeout(() => t.log('c', 'timeout'), 0);
    });
    s.write('x');
  });
}

export function destroy_with_an_error_in_the_data_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('data', () => {
      process.nextTick(() => t.log('c', 'tick'));
      c.destroy(t.error('MINE'));
      process.nextTick(() => t.log('c', 'another tick'));
      setImmediate(() => t.log('c', 'immediate'));
    });
    s.write('x');
  });
}

export function destroy_in_the_end_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('end', () => c.destroy());
    s.end('x');
  });
}

export function destroy_in_the_prefinish_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('prefinish', () => c.destroy());
    t.end(c, 'c', 'x');
  });
}

export function destroy_in_the_finish_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('finish', () => c.destroy());
    t.end(c, 'c', 'x');
  });
}

export function destroy_in_a_write_callback(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.write('one', (error) => { t.cb('c', 'one')(error); c.destroy(); });
    t.write(c, 'c', 'two');
    c.write('three');
    t.end(c, 'c', 'four');
  });
}

export function destroy_in_the_end_callback(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.end('one', (error) => { t.cb('c', 'end')(error); c.destroy(t.error('MINE')); });
  });
}

export function destroy_in_the_error_listener_changes_nothing(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('error', () => { t.state(c, 'c'); c.destroy(t.error('OTHER')); });
    c.destroy(t.error('MINE'));
  });
}

export function destroy_in_the_close_listener_changes_nothing(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.on('close', () => { t.state(c, 'c'); c.destroy(t.error('OTHER')); t.write(c, 'c', 'late'); });
    c.destroy();
  });
}

export function destroy_after_end_cuts_the_end_off(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    t.write(c, 'c', 'one');
    t.end(c, 'c', 'two');
    c.destroy();
    t.state(c, 'c');
  });
}

export function destroy_with_an_error_after_end(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    t.end(c, 'c', 'two');
    c.destroy(t.error('MINE'));
  });
}

export function error_without_a_listener_is_uncaught_and_close_follows(t) {
  t.pair((c, s) => {
    c.on('close', (hadError) => t.log('c', `close(${hadError})`));
    t.flow(s, 's');
    c.destroy(t.error('MINE'));
  });
}

export function end_with_data_after_destroy(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    c.destroy();
    t.end(c, 'c', 'late');
  });
}
