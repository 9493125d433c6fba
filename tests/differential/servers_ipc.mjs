// Servers and sockets by path. What a path is called is left out of the traces.
import net from 'node:net';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function path(name) {
  const at = join(tmpdir(), `soquete-${process.pid}-${name}.sock`);
  fs.rmSync(at, { force: true });
  return at;
}

// Events whose payload has no path in it.
function server(t, connected) {
  const s = net.createServer(connected);
  s.on('listening', () => t.log('S', 'listening'));
  s.on('drop', (info) => t.log('S', `drop ${info?.remoteAddress}`));
  s.on('close', () => t.log('S', 'close'));
  failure(t, s, 'S');
  return s;
}

function failure(t, emitter, lane) {
  emitter.on('error', (error) => {
    const message = error.message.replaceAll(error.address, 'PATH');
    // A server's error has the port that it uses internally for none.
    const port = error.port === -1 ? undefined : error.port;
    t.log(lane, `error ${message} ${error.syscall} ${port}`);
  });
  return emitter;
}

function client(t, at) {
  const c = failure(t, net.connect(at), 'c');
  c.on('connectionAttemptFailed', (_, port, family, error) => {
    t.log('c', `connectionAttemptFailed ${port} ${family} ${error.code}`);
  });
  c.on('connect', () => t.log('c', 'connect'));
  c.on('close', (hadError) => t.log('c', `close(${hadError})`));
  return c;
}

export function a_conversation_by_path(t) {
  const at = path('conversation');
  const s = server(t, (c) => {
    t.log('s', `${c.remoteAddress} ${c.remotePort} ${c.localAddress}`);
    c.on('data', (chunk) => t.data('s', chunk));
    c.on('end', () => t.log('s', 'end'));
    s.close();
  });
  s.listen(at, t.cb('S', 'listen'));
  t.log('S', `listening=${s.listening} path=${s.address() === at} there=${fs.existsSync(at)}`);
  const c = client(t, at);
  c.end('hello');
  s.on('close', () => t.log('S', `there=${fs.existsSync(at)}`));
}

export function a_path_that_is_missing(t) {
  client(t, path('missing'));
}

export function a_path_that_is_no_socket(t) {
  const at = path('file');
  fs.writeFileSync(at, '');
  client(t, at).on('close', () => fs.rmSync(at));
}

export function a_path_that_is_too_long(t) {
  client(t, path('x'.repeat(120)));
}

export function a_path_that_is_too_long_to_listen(t) {
  server(t).listen(path('x'.repeat(120)));
}

export function a_directory_that_is_missing(t) {
  server(t).listen(join(path('nowhere'), 'x.sock'));
}

export function a_path_that_is_in_use(t) {
  const at = path('use');
  const first = net.createServer().listen(at);
  const s = server(t).listen(at);
  t.log('S', `listening=${s.listening}`);
  s.on('error', () => first.close());
}

export function a_file_in_the_way(t) {
  const at = path('way');
  fs.writeFileSync(at, 'precious');
  server(t).listen(at).on('error', () => {
    t.log('S', fs.readFileSync(at, 'utf8'));
    fs.rmSync(at);
  });
}

export function a_name_without_a_file(t) {
  const name = `\0soquete-${process.pid}`;
  const s = server(t, (c) => {
    c.resume();
    s.close();
  });
  s.listen(name);
  t.log('S', `name=${s.address() === name}`);
  client(t, name).end();
}

export function everybody_may(t) {
  for (const [name, options] of [
    ['read', { readableAll: true }], ['write', { writableAll: true }],
    ['both', { readableAll: true, writableAll: true }],
  ]) {
    const at = path(name);
    const s = net.createServer().listen({ path: at, ...options });
    t.log('S', `${name} ${(fs.statSync(at).mode & 0o777).toString(8)}`);
    s.close();
  }
}

export function too_many_by_path(t) {
  const at = path('many');
  const s = server(t);
  s.maxConnections = 0;
  s.on('drop', () => s.close());
  s.listen(at);
  client(t, at).resume();
}

export function a_reset_by_path_is_refused(t) {
  const at = path('reset');
  const s = server(t, (c) => {
    s.close();
    try {
      c.resetAndDestroy();
    } catch (error) {
      t.log('s', `${error.code} destroyed=${c.destroyed}`);
    }
    c.end();
  });
  s.listen(at);
  client(t, at).resume();
}

export function destroyed_in_the_turn_of_connect(t) {
  const at = path('destroyed');
  const s = server(t, () => {});
  s.listen(at);
  client(t, at).destroy();
  t.turns(5, () => s.close());
}

export function closed_in_the_turn_of_listen(t) {
  const at = path('closed');
  server(t).listen(at).close(t.cb('S', 'close'));
  t.log('S', `there=${fs.existsSync(at)}`);
}

export function a_bound_path_listens(t) {
  const at = path('bound');
  const bound = new net.BoundSocket({ path: at });
  t.log('S', `${bound.address() === at} ${bound.isPipe} there=${fs.existsSync(at)}`);
  const s = server(t).listen(bound);
  t.log('S', `path=${s.address() === at}`);
  s.on('listening', () => s.close());
  s.on('close', () => t.log('S', `there=${fs.existsSync(at)}`));
}

export function a_bound_path_that_is_given_up(t) {
  const at = path('given');
  const bound = new net.BoundSocket({ path: at });
  bound.close();
  t.log('S', `there=${fs.existsSync(at)}`);
}

export function a_bound_path_connects(t) {
  const at = path('target');
  const from = path('from');
  const s = server(t, (c) => {
    c.on('data', (chunk) => t.data('s', chunk));
    s.close();
  });
  s.listen(at, () => {
    const c = new net.Socket({ handle: new net.BoundSocket({ path: from }) });
    c.connect(at);
    c.on('close', () => t.log('c', `close there=${fs.existsSync(from)}`));
    c.end('hello');
  });
}
