// Servers: listening, accepting, closing.
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';

let paths = 0;

function freshPath() {
  return join(tmpdir(), `soquete-serving-${process.pid}-${paths++}`);
}

function show(t, server) {
  t.log('S', `listening=${server.listening} address=${server.address() !== null}`);
}

export function listening_on_a_host(t) {
  const server = t.on(net.createServer(), 'S');
  server.listen(0, '127.0.0.1', () => { t.log('S', 'called'); server.close(); show(t, server); });
  show(t, server);
  process.nextTick(() => t.log('S', 'tick'));
  server.on('listening', () => show(t, server));
}

export function listening_on_everything(t) {
  const server = t.on(net.createServer(), 'S');
  server.listen(0, () => { t.log('S', 'called'); server.close(); });
  show(t, server);
  process.nextTick(() => t.log('S', 'tick'));
}

export function closed_in_the_callback_that_listens_on_everything(t) {
  const server = t.on(net.createServer(), 'S');
  server.listen(0, () => t.log('S', 'called'));
  server.close(t.cb('S', 'close'));
  show(t, server);
}

export function closed_in_the_callback_that_listens_on_a_host(t) {
  const server = t.on(net.createServer(), 'S');
  server.listen(0, '127.0.0.1', () => t.log('S', 'called'));
  server.close(t.cb('S', 'close'));
  show(t, server);
}

export function closed_without_listening(t) {
  const server = t.on(net.createServer(), 'S');
  server.close(t.cb('S', 'close'));
}

export function closed_twice(t) {
  // Node emits `close` once for each call; here it is emitted once.
  const server = net.createServer();
  server.once('close', () => t.log('S', 'close'));
  server.listen(0, '127.0.0.1', () => {
    server.close(t.cb('S', 'first'));
    server.close(t.cb('S', 'second'));
  });
}

export function closed_again_after_close(t) {
  const server = net.createServer();
  server.once('close', () => t.log('S', 'close'));
  server.listen(0, '127.0.0.1', () => {
    server.close(t.cb('S', 'first'));
    server.once('close', () => setImmediate(() => server.close(t.cb('S', 'second'))));
  });
}

export function close_comes_before_that_of_the_last_socket(t) {
  const server = t.on(net.createServer((s) => {
    s.on('close', () => t.log('S', 'socket closed'));
    s.resume();
    server.close(t.cb('S', 'first'));
    show(t, server);
    server.getConnections((error, count) => t.log('S', `connections ${count}`));
    server.close(t.cb('S', 'second'));
  }), 'S');
  server.listen(0, '127.0.0.1', () => {
    const c = net.connect(server.address().port, '127.0.0.1');
    server.on('connection', () => setImmediate(() => c.destroy()));
  });
}

export function several_connections_close_in_reverse_order(t) {
  const sockets = [];
  const server = t.on(net.createServer((s) => {
    const name = sockets.push(s);
    s.on('close', () => t.log('S', `closed ${name}`));
    if (name < 3) return connect();
    server.close();
    for (const socket of sockets) socket.destroy();
  }), 'S');
  const connect = () => net.connect(server.address().port, '127.0.0.1').resume();
  server.listen(0, '127.0.0.1', connect);
}

export function closed_in_the_connection_listener(t) {
  const server = t.on(net.createServer((s) => {
    t.flow(s, 's');
    server.close();
    s.end('bye');
  }), 'S');
  server.listen(0, '127.0.0.1', () => {
    t.flow(net.connect(server.address().port, '127.0.0.1'), 'c');
  });
}

export function socket_destroyed_in_the_connection_listener(t) {
  const server = t.on(net.createServer((s) => {
    t.on(s, 's');
    s.destroy();
    server.close();
  }), 'S');
  server.listen(0, '127.0.0.1', () => {
    t.flow(net.connect(server.address().port, '127.0.0.1'), 'c');
  });
}

export function address_in_use(t) {
  t.listen({}, () => {}, (port, first) => {
    const server = t.on(net.createServer(), 'S');
    server.once('error', () => {
      show(t, server);
      first.close();
      server.listen(0, '127.0.0.1', () => { t.log('S', 'second'); server.close(); });
    });
    server.listen(port, '127.0.0.1', () => t.log('S', 'first'));
    show(t, server);
  });
}

export function address_in_use_on_everything(t) {
  const first = net.createServer().listen(0, () => {
    const server = t.on(net.createServer(), 'S');
    server.listen(first.address().port);
    show(t, server);
    process.nextTick(() => t.log('S', 'tick'));
    server.on('error', () => first.close());
  });
}

export function address_that_is_not_ours(t) {
  const server = t.on(net.createServer(), 'S');
  server.listen(0, '192.0.2.1');
}

export function error_that_nobody_listens_for(t) {
  net.createServer().listen(0, '192.0.2.1');
}

export function listening_twice(t) {
  const server = t.on(net.createServer(), 'S');
  server.listen(0, () => server.close());
  try {
    server.listen(0);
  } catch (error) {
    // Where Node throws, an `Error` event follows here.
    process.nextTick(() => server.emit('error', error));
  }
}

export function listening_again_in_the_close_listener(t) {
  const server = t.on(net.createServer(), 'S');
  server.listen(0, '127.0.0.1', () => server.close());
  server.once('close', () => {
    server.listen(0, '127.0.0.1', () => { t.log('S', 'again'); server.close(); });
  });
}

export function listening_again_while_a_connection_is_open(t) {
  const server = t.on(net.createServer((s) => {
    server.close(t.cb('S', 'close'));
    server.listen(0, '127.0.0.1', () => {
      t.log('S', 'again');
      s.on('close', () => { t.log('S', 'socket closed'); server.close(); });
      s.destroy();
    });
  }), 'S');
  server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').resume());
}

export function too_many_connections_are_dropped(t) {
  const server = t.on(net.createServer((s) => {
    second();
    server.on('drop', () => { s.destroy(); server.close(); });
  }), 'S');
  server.maxConnections = 1;
  const second = () => t.flow(net.connect(server.address().port, '127.0.0.1'), 'second');
  server.listen(0, '127.0.0.1', () => {
    t.flow(net.connect(server.address().port, '127.0.0.1'), 'first');
  });
}

export function no_connections_at_all(t) {
  const server = t.on(net.createServer(() => {}), 'S');
  server.maxConnections = 0;
  server.on('drop', () => server.close());
  server.listen(0, '127.0.0.1', () => {
    t.flow(net.connect(server.address().port, '127.0.0.1'), 'c');
  });
}

export function paused_connections(t) {
  const server = t.on(net.createServer({ pauseOnConnect: true }, (s) => {
    t.watch(s, 's');
    server.close();
    t.turns(10, () => { t.log('s', `${s.bytesRead}`); s.resume(); });
  }), 'S');
  server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').end('hi'));
}

export function closed_server_refuses(t) {
  const server = t.on(net.createServer((s) => {
    const { port } = server.address();
    server.close();
    const late = t.on(net.connect(port, '127.0.0.1'), 'late');
    late.on('close', () => s.destroy());
  }), 'S');
  server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').resume());
}

export function unreferenced_server_lets_the_loop_end(t) {
  const server = t.on(net.createServer(), 'S');
  server.unref();
  server.listen(0, '127.0.0.1');
}

export function unreferenced_server_with_a_connection(t) {
  const server = t.on(net.createServer((s) => {
    t.flow(s, 's');
    server.unref();
    s.end('bye');
  }), 'S');
  server.listen(0, '127.0.0.1', () => {
    t.flow(net.connect(server.address().port, '127.0.0.1'), 'c');
  });
}

export function on_a_path(t) {
  const path = freshPath();
  const server = t.on(net.createServer((s) => { t.flow(s, 's'); server.close(); }), 'S');
  server.listen(path, () => {
    t.log('S', `${server.address() === path} ${existsSync(path)}`);
    const c = t.flow(net.connect(path), 'c');
    c.on('ready', () => c.end('hi'));
  });
  show(t, server);
  server.on('close', () => t.log('S', `${existsSync(path)}`));
}

export function on_a_path_in_use(t) {
  const path = freshPath();
  const first = net.createServer().listen(path, () => {
    net.createServer().listen(path).on('error', (error) => {
      t.log('S', `${error.code} ${error.syscall} ${error.address === path}`);
      first.close();
    });
  });
}

export function on_a_path_whose_directory_is_missing(t) {
  t.on(net.createServer(), 'S').listen('/missing/directory/path.sock');
}

export function end_in_the_connection_listener(t) {
  const server = t.on(net.createServer((s) => { t.flow(s, 's'); s.end(); server.close(); }), 'S');
  server.listen(0, '127.0.0.1', () => {
    t.flow(net.connect(server.address().port, '127.0.0.1'), 'c');
  });
}

export function connection_listener_and_the_rest_of_the_turn(t) {
  const server = t.on(net.createServer((s) => {
    process.nextTick(() => t.log('S', 'tick'));
    setImmediate(() => t.log('S', 'immediate'));
    s.on('close', () => t.log('S', 'socket closed'));
    s.destroy();
    server.close();
  }), 'S');
  server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').resume());
}

export function getters_of_an_accepted_socket(t) {
  const server = t.on(net.createServer((s) => {
    t.state(s, 's');
    t.log('s', `${s.localAddress} ${s.localPort === server.address().port} ${s.remoteAddress}`);
    server.close();
    t.watch(s, 's');
    s.end('hi');
  }), 'S');
  server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').resume());
}
