// Every operation and then every other, on a socket in every state: one line for each pair.
import net from 'node:net';

const OPERATIONS = {
  write: (t, c, lane) => t.write(c, lane, 'w'),
  cork: (t, c, lane) => { c.cork(); t.write(c, lane, 'k'); c.uncork(); },
  end: (t, c, lane) => t.end(c, lane, 'e'),
  soon: (t, c) => c.destroySoon(),
  destroy: (t, c) => c.destroy(),
  error: (t, c) => c.destroy(t.error('MINE')),
  reset: (t, c) => c.resetAndDestroy(),
  pause: (t, c) => c.pause(),
  resume: (t, c) => c.resume(),
  flow: (t, c, lane) => c.on('data', (chunk) => t.data(lane, chunk)),
};

// A reset of a socket that is ending leaves Node with an error out of its place and no `close`.
const NEVER_CLOSES = /^.(end|soon) reset/;

// Long after everything that follows from the operations has happened.
const SETTLED_MS = 150;

function pairs(t, state) {
  const names = Object.keys(OPERATIONS);
  return names.flatMap((first) => names.map((second) => ({
    lane: `/${first} ${second}`,
    apply(c) {
      OPERATIONS[first](t, c, this.lane);
      OPERATIONS[second](t, c, this.lane);
    },
  }))).filter(({ lane }) => !NEVER_CLOSES.test(lane) && !state.skip?.test(lane));
}

function cleanUp(t, sockets, peers, server) {
  setTimeout(() => {
    for (const { c, lane } of sockets) {
      if (!c.destroyed) t.state(c, lane);
      c.destroy();
    }
    for (const s of peers) s.destroy();
    server?.close();
  }, SETTLED_MS);
}

// One connection for each pair; `prepare` brings the socket into the state and calls `apply` then.
function connected(t, state) {
  const sockets = pairs(t, state);
  const peers = [];
  let open = 0;
  const joined = () => {
    if (++open < 2 * sockets.length) return;
    setImmediate(() => {
      for (const socket of sockets) {
        t.on(socket.c, socket.lane);
        state.prepare(socket.c, () => socket.apply(socket.c));
      }
      state.then?.(peers);
      cleanUp(t, sockets, peers, server);
    });
  };
  const server = net.createServer(state.server ?? {}, (s) => {
    peers.push(s.on('error', () => {}).resume());
    joined();
  });
  server.listen(0, '127.0.0.1', () => {
    for (const socket of sockets) {
      const port = server.address().port;
      socket.c = net.connect({ port, host: '127.0.0.1', ...state.client }).once('connect', joined);
    }
  });
}

export function fresh(t) {
  // A write that has failed and not said so leaves Node with a `close` that tells of another error.
  const sockets = pairs(t, { skip: /^.(write|cork|end) (destroy|error)|^.end cork/ });
  for (const socket of sockets) {
    socket.c = t.on(new net.Socket(), socket.lane);
    socket.apply(socket.c);
  }
  cleanUp(t, sockets, []);
}

export function connecting(t) {
  const sockets = pairs(t, {});
  const peers = [];
  const server = net.createServer((s) => peers.push(s.on('error', () => {}).resume()));
  server.listen(0, '127.0.0.1', () => {
    for (const socket of sockets) {
      socket.c = t.on(net.connect(server.address().port, '127.0.0.1'), socket.lane);
      socket.apply(socket.c);
    }
    cleanUp(t, sockets, peers, server);
  });
}

export function refused(t) {
  const sockets = pairs(t, {});
  for (const socket of sockets) {
    socket.c = t.on(net.connect(1, '127.0.0.1'), socket.lane);
    socket.apply(socket.c);
  }
  cleanUp(t, sockets, []);
}

export function open(t) {
  connected(t, { prepare: (c, apply) => apply() });
}

export function ending(t) {
  connected(t, { skip: /reset/, prepare: (c, apply) => { c.end('first'); apply(); } });
}

export function ended(t) {
  connected(t, {
    server: { allowHalfOpen: true },
    prepare: (c, apply) => c.once('finish', () => setImmediate(apply)).end(),
  });
}

export function ended_by_the_peer(t) {
  connected(t, {
    client: { allowHalfOpen: true },
    prepare: (c, apply) => c.once('end', () => setImmediate(apply)),
    then: (peers) => { for (const s of peers) s.end(); },
  });
}

export function in_the_end_listener(t) {
  connected(t, {
    prepare: (c, apply) => c.once('end', apply),
    then: (peers) => { for (const s of peers) s.end(); },
  });
}

export function with_data_kept(t) {
  connected(t, {
    prepare: (c, apply) => t.until(() => c.readableLength === 4, apply),
    then: (peers) => { for (const s of peers) s.write('kept'); },
  });
}

export function destroyed(t) {
  connected(t, { prepare: (c, apply) => { c.destroy(); apply(); } });
}

export function destroyed_with_an_error(t) {
  connected(t, { prepare: (c, apply) => { c.destroy(t.error('FIRST')); apply(); } });
}

export function in_the_close_listener(t) {
  connected(t, { prepare: (c, apply) => c.once('close', apply).destroy() });
}
