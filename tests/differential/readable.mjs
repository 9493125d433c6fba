// What is read by hand: `readable`, `read`, `unshift`, text.

// Records what `read` gives.
function read(t, lane, socket, size) {
  const chunk = size === undefined ? socket.read() : socket.read(size);
  t.log(lane, `read ${chunk === null ? null : chunk.toString()}`);
}

export function readable_then_read(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('readable', () => {
      t.log('c', 'readable');
      read(t, 'c', c);
      read(t, 'c', c);
    });
    t.state(c, 'c');
    s.write('one');
    t.until(() => c.bytesRead === 3, () => t.turns(3, () => s.end('two')));
  });
}

export function readable_at_the_end_with_nothing_left(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('readable', () => { t.log('c', 'readable'); read(t, 'c', c); });
    s.end();
  });
}

export function read_of_so_many_bytes(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.write('abcdefgh');
    t.until(() => c.readableLength === 8, () => {
      read(t, 'c', c, 3);
      read(t, 'c', c, 10);
      read(t, 'c', c, 0);
      t.state(c, 'c');
      s.end();
      t.turns(10, () => { t.state(c, 'c'); read(t, 'c', c, 10); read(t, 'c', c); });
    });
  });
}

export function read_gives_one_chunk_and_emits_it(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.write('one');
    t.until(() => c.readableLength === 3, () => {
      s.write('two');
      t.until(() => c.readableLength === 6, () => {
        c.pause();
        c.on('data', (chunk) => t.log('c', `data ${chunk}`));
        read(t, 'c', c);
        read(t, 'c', c);
        read(t, 'c', c);
        s.end();
      });
    });
  });
}

export function readable_and_data_together(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('data', (chunk) => t.log('c', `data ${chunk}`));
    c.on('readable', () => { t.log('c', 'readable'); read(t, 'c', c); });
    t.state(c, 'c');
    s.end('one');
  });
}

export function readable_without_read_stays_quiet(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('readable', () => t.log('c', 'readable'));
    s.write('one');
    t.until(() => c.bytesRead === 3, () => t.turns(3, () => {
      s.write('two');
      t.until(() => c.bytesRead === 6, () => t.turns(3, () => { t.state(c, 'c'); c.destroy(); }));
    }));
  });
}

export function removing_the_readable_listener_resumes_for_data(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.on('data', (chunk) => t.log('c', `data ${chunk}`));
    c.once('readable', () => t.log('c', 'readable'));
    s.write('one');
    t.until(() => c.bytesRead === 3, () => t.turns(3, () => { t.state(c, 'c'); s.end('two'); }));
  });
}

export function removing_the_readable_listener_without_data_listeners(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.once('readable', () => t.log('c', 'readable'));
    s.write('one');
    t.until(() => c.bytesRead === 3, () => t.turns(3, () => { t.state(c, 'c'); c.destroy(); }));
  });
}

export function readable_listener_that_comes_after_the_end(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    s.end('kept');
    t.until(() => c.readableLength === 4, () => t.turns(5, () => {
      c.on('readable', () => { t.log('c', 'readable'); read(t, 'c', c); });
    }));
  });
}

export function unshift_puts_back_in_front(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.once('data', (chunk) => {
      t.log('c', `data ${chunk}`);
      c.pause();
      c.unshift('head');
      t.state(c, 'c');
      c.on('data', (rest) => t.log('c', `data ${rest}`));
      setImmediate(() => c.resume());
    });
    s.end('tail');
  });
}

export function unshift_before_anything_came(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.unshift('head');
    t.state(c, 'c');
    c.on('data', (chunk) => t.log('c', `data ${chunk}`));
    t.turns(3, () => s.end('tail'));
  });
}

export function unshift_after_the_end_is_an_error(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    c.on('end', () => { c.unshift('late'); t.state(c, 'c'); });
    s.end();
  });
}

export function text_puts_split_characters_together(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.setEncoding('utf8');
    c.on('data', (text) => t.log('c', `text ${text}`));
    s.write(Buffer.from([0xc3]));
    t.until(() => c.bytesRead === 1, () => {
      s.write(Buffer.from([0xa9, 0xe2, 0x82]));
      t.until(() => c.bytesRead === 4, () => s.end(Buffer.from([0xac, 0x21, 0xe2])));
    });
  });
}

export function put_back_into_what_flows_but_has_not_begun(t, net) {
  const c = new net.Socket();
  c.on('resume', () => t.log('c', 'resume'));
  c.on('data', (chunk) => t.log('c', `data ${chunk}`));
  t.log('c', `${c.unshift('early')} ${c.readableLength}`);
  process.nextTick(() => { t.log('c', 'a tick'); c.destroy(); });
}

export function put_back_where_nobody_listens_and_read(t, net) {
  const c = new net.Socket();
  c.on('resume', () => t.log('c', 'resume'));
  c.resume();
  t.log('c', `${c.unshift('early')} ${c.readableLength}`);
  t.log('c', `${c.read()} ${c.readableLength}`);
  setImmediate(() => c.destroy());
}

export function put_back_into_a_flow_with_a_listener_and_without(t) {
  t.pair((c, s) => {
    t.flow(c, 'c');
    s.write('sent');
    t.until(() => c.bytesRead === 4, () => {
      t.log('c', `${c.unshift('heard')} ${c.readableLength}`);
      const listener = () => {};
      c.removeAllListeners('data');
      c.on('data', listener);
      c.removeListener('data', listener);
      t.log('c', `${c.unshift('kept')} ${c.readableLength} ${c.readableFlowing}`);
      t.log('c', `${c.read()}`);
      c.destroy();
      t.log('c', `${c.unshift('late')} ${c.unshift('')}`);
    });
  });
}

export function listeners_that_are_put_in_front_ask_for_nothing(t) {
  t.pair((c, s) => {
    t.on(c, 'c');
    c.prependListener('data', (chunk) => t.log('c', `data ${chunk}`));
    c.prependListener('readable', () => t.log('c', 'readable'));
    s.end('kept');
    t.until(() => c.readableLength === 4, () => t.turns(5, () => {
      t.log('c', `${c.readableFlowing} ${c.isPaused()}`);
      c.resume();
    }));
  });
}

export function read_in_pieces_of_every_size(t) {
  t.pair((c, s) => {
    c.pause();
    s.write('a head, ');
    t.until(() => c.readableLength === 8, () => {
      s.end('a body and a tail');
      t.until(() => c.readableLength === 25, () => {
        for (const size of [1, 2, 7, 0, 3, 30, 4]) t.log('c', `${size} ${c.read(size)} ${c.readableLength}`);
        c.unshift('put back ');
        for (const size of [4, 9, 4]) t.log('c', `${size} ${c.read(size)} ${c.readableLength}`);
        t.log('c', `${c.read()} ${c.readableLength}`);
        t.flow(c, 'c');
        c.resume();
      });
    });
  });
}
