// The servers on node:net, for Node, Bun and Deno: `node.mjs <mode> [bytes [path]]`.
import net from 'node:net';
import process from 'node:process';
import { setTimeout, clearTimeout } from 'node:timers';

const [mode, argument, path] = process.argv.slice(2);
const size = Number(argument ?? 65536);

const modes = {
  echo, pipe, frames, 'frames-corked': framesCorked, sink, pieces, source, broadcast,
};
const place = path ? { path, backlog: 4096 } : { port: 0, host: '127.0.0.1', backlog: 4096 };
if (mode === 'timers') {
  timers(size);
} else if (mode === 'http') {
  await http();
} else if (mode === 'programs') {
  const { run } = await import('./programs.mjs');
  await run(process.argv.slice(3));
} else {
  serve(modes[mode]);
}

function serve(onConnection) {
  // A sink answers after its client's end.
  const options = { noDelay: true, allowHalfOpen: mode === 'sink' || mode === 'pieces' };
  const server = net.createServer(options, (socket) => {
    // Only the clients of an echo, whose memory is measured, wait for all that they asked for.
    if (mode !== 'echo') socket.on('error', () => {});
    onConnection(socket);
  });
  listen(server);
}

function listen(server) {
  server.listen(place, () => console.log(`LISTENING ${path ?? server.address().port}`));
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
}

// On node:http, which the others need not load.
async function http() {
  const { createServer } = await import('node:http');
  listen(createServer({ noDelay: true }, (request, response) => {
    // The fields that all servers send, and no others.
    response.removeHeader('Connection');
    if (request.url === '/hello') {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 14 });
      response.end('Hello, world!\n');
    } else {
      response.writeHead(404);
      response.end();
    }
  }));
}

let ended = 0;
function echo(socket) {
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('end', () => { ended += 1; });
}

function pipe(socket) {
  socket.pipe(socket);
}

function frames(socket) {
  let rest = null;
  socket.on('data', (chunk) => {
    const data = rest ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    while (data.length - start >= 4) {
      const end = start + 4 + data.readUInt32BE(start);
      if (end > data.length) break;
      socket.write(data.subarray(start, end));
      start = end;
    }
    rest = start < data.length ? data.subarray(start) : null;
  });
}

// The same, for those who know that a cork gathers writes.
function framesCorked(socket) {
  let rest = null;
  socket.on('data', (chunk) => {
    const data = rest ? Buffer.concat([rest, chunk]) : chunk;
    let start = 0;
    socket.cork();
    while (data.length - start >= 4) {
      const end = start + 4 + data.readUInt32BE(start);
      if (end > data.length) break;
      socket.write(data.subarray(start, end));
      start = end;
    }
    socket.uncork();
    rest = start < data.length ? data.subarray(start) : null;
  });
}

function sink(socket) {
  let received = 0;
  socket.on('data', (chunk) => { received += chunk.length; });
  socket.on('end', () => {
    const answer = Buffer.alloc(8);
    answer.writeBigUInt64LE(BigInt(received));
    socket.end(answer);
  });
}

// A sink that reads four bytes at a time.
function pieces(socket) {
  let received = 0;
  socket.on('readable', () => {
    let piece;
    while ((piece = socket.read(4)) !== null) received += piece.length;
  });
  socket.on('end', () => {
    const answer = Buffer.alloc(8);
    answer.writeBigUInt64LE(BigInt(received));
    socket.end(answer);
  });
}

const chunk = Buffer.alloc(mode === 'source' ? size : 0, 'x');
function source(socket) {
  const fill = () => { while (socket.write(chunk)); };
  socket.on('drain', fill);
  socket.resume();
  fill();
}

const audience = new Set();
function broadcast(socket) {
  audience.add(socket);
  socket.on('data', (message) => {
    for (const member of audience) member.write(message);
  });
  socket.on('close', () => audience.delete(socket));
}

function timers(count) {
  const armed = new Array(count);
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) armed[i] = setTimeout(() => {}, 60000 + (i * 7919) % 60000);
  for (let i = 0; i < count; i++) clearTimeout(armed[i]);
  console.log(`TIMERS ${Number(process.hrtime.bigint() - start) / count}`);
  process.exit(0);
}
