// What is read: flowing and paused, what is kept.
import net from 'node:net';

const paused = { server: { pauseOnConnect: true } };

export function paused_with_data_and_the_end(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    c.pause();
    s.end('kept');
    t.until(() => c.readableLength === 4, () => t.turns(5, () => {
      t.state(c, 'c');
      t.log('c', `${c.bytesRead} ${c.isPaused()}`);
      c.resume();
      t.state(c, 'c');
    }));
  });
}

export function paused_with_a_bare_end(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    t.flow(s, 's');
    c.pause();
    s.end();
  });
}

export function paused_on_connect_with_data_and_the_end(t) {
  t.pair((c, s) => {
    t.flow(s, 's');
    t.state(s, 's');
    c.end('late');
    t.turns(10, () => {
      t.state(s, 's');
      t.log('s', `${s.bytesRead}`);
      s.resume();
    });
  }, paused);
}

export function paused_on_connect_with_a_bare_end(t) {
  t.pair((c, s) => {
    t.flow(s, 's');
    c.end();
    t.turns(10, () => {
      t.state(s, 's');
      s.resume();
    });
  }, paused);
}

export function paused_before_the_connection(t) {
  const server = t.listen({}, (s) => { s.end('early'); server.close(); }, (port) => {
    const c = net.connect(port, '127.0.0.1');
    c.pause();
    t.flow(c, 'c');
    c.on('ready', () => t.turns(10, () => {
      t.state(c, 'c');
      c.resume();
    }));
  });
}

export function paused_before_the_connection_with_a_listener(t) {
  const server = t.listen({}, (s) => { s.end('early'); server.close(); }, (port) => {
    const c = t.flow(net.connect(port, '127.0.0.1'), 'c');
    c.pause();
    c.on('ready', () => t.turns(10, () => {
      t.state(c, 'c');
      c.resume();
    }));
  });
}

export function paused_in_the_connect_listener(t) {
  const server = t.listen({}, (s) => { s.end('early'); server.close(); }, (port) => {
    const c = t.flow(net.connect(port, '127.0.0.1'), 'c');
    c.on('connect', () => c.pause());
    c.on('ready', () => t.turns(10, () => {
      t.state(c, 'c');
      c.resume();
    }));
  });
}

export function data_that_nobody_reads_is_kept_and_holds_the_end_back(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.on(s, 's');
    s.end('kept');
    t.until(() => c.readableLength === 4, () => t.turns(10, () => {
      t.state(c, 'c');
      c.destroy();
    }));
  });
}

export function bare_end_that_nobody_reads_closes(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.on(s, 's');
    s.end();
  });
}

export function no_more_is_kept_than_the_mark(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.write(Buffer.alloc(1 << 20));
    t.until(() => c.readableLength === c.readableHighWaterMark, () => t.turns(10, () => {
      t.log('c', `${c.readableLength} ${c.bytesRead}`);
      c.destroy();
    }));
    s.on('error', () => {});
  });
}

export function destroyed_with_data_in_the_kernel(t) {
  t.pair((c, s) => {
    t.on(s, 's');
    t.flow(c, 'c');
    t.write(c, 'c', 'unread');
    t.turns(5, () => s.destroy());
  }, paused);
}

export function destroyed_with_data_kept(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    t.flow(s, 's');
    s.end('kept');
    t.until(() => c.readableLength === 4, () => c.destroy());
  });
}

export function a_listener_that_comes_late_gets_what_was_kept(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.end('kept');
    t.until(() => c.readableLength === 4, () => {
      c.on('data', (chunk) => t.data('c', chunk));
      t.state(c, 'c');
      process.nextTick(() => t.log('c', 'tick'));
    });
  });
}

export function a_data_listener_does_not_undo_a_pause(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.pause();
    c.on('data', (chunk) => t.data('c', chunk));
    t.state(c, 'c');
    s.end('kept');
    t.until(() => c.readableLength === 4, () => { t.state(c, 'c'); c.resume(); });
  });
}

export function flow_without_a_listener_throws_away(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.resume();
    s.end('gone');
  });
}

export function removing_the_data_listener_does_not_stop_the_flow(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.once('data', (chunk) => t.data('c', chunk));
    s.write('one');
    t.until(() => c.bytesRead === 3, () => {
      t.state(c, 'c');
      s.end('two');
    });
  });
}

export function pause_and_resume_say_so_once(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.pause();
    c.pause();
    c.resume();
    c.resume();
    c.pause();
    c.resume();
    t.log('c', `${c.isPaused()}`);
    setImmediate(() => { c.resume(); setImmediate(() => s.end()); });
  });
}

export function pause_in_the_data_listener(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    c.on('data', () => {
      c.pause();
      setImmediate(() => { t.log('c', 'immediate'); c.resume(); });
    });
    s.write('one');
    t.until(() => c.bytesRead === 3, () => s.end('two'));
  });
}

export function pause_after_resume_in_one_callback(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('data', (chunk) => t.data('c', chunk));
    c.pause();
    s.end('x');
    t.until(() => c.readableLength === 1, () => {
      c.resume();
      c.pause();
      t.state(c, 'c');
      t.turns(3, () => { t.state(c, 'c'); c.resume(); });
    });
  });
}

export function pause_and_resume_of_a_destroyed_socket_are_silent(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.destroy();
    c.pause();
    c.resume();
    t.state(c, 'c');
  });
}

export function data_listener_added_in_the_data_listener(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.once('data', (chunk) => {
      t.log('c', `first ${chunk}`);
      c.on('data', (more) => t.log('c', `second ${more}`));
    });
    s.write('one');
    t.until(() => c.bytesRead === 3, () => s.end('two'));
  });
}

export function end_in_spite_of_half_open_and_nobody_listening(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.end();
    t.turns(10, () => { t.state(c, 'c'); c.end(); });
  }, { client: { allowHalfOpen: true } });
}

export function getters_while_paused_and_resumed(t) {
  t.pair((c, s) => {
    t.watch(c, 'c');
    c.pause();
    s.end('kept');
    t.until(() => c.readableLength === 4, () => c.resume());
  });
}
