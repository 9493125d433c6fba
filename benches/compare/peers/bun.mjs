// The servers on Bun's own sockets: `bun.mjs <mode> [bytes [path]]`.
import process from 'node:process';

const [mode, , path] = process.argv.slice(2);

// A write takes what the kernel takes; the rest is for `drain`.
function send(socket, data) {
  const state = socket.data;
  if (state.unsent.length > 0) {
    state.unsent.push(Buffer.from(data));
    return;
  }
  const sent = socket.write(data);
  if (sent < data.length) state.unsent.push(Buffer.from(data.subarray(Math.max(sent, 0))));
}

function drain(socket) {
  const { unsent } = socket.data;
  while (unsent.length > 0) {
    const sent = Math.max(socket.write(unsent[0]), 0);
    if (sent < unsent[0].length) {
      unsent[0] = unsent[0].subarray(sent);
      return;
    }
    unsent.shift();
  }
  if (mode === 'pipe') socket.resume();
}

function pipe(socket, data) {
  send(socket, data);
  if (socket.data.unsent.length > 0) socket.pause();
}

function frames(socket, chunk) {
  const state = socket.data;
  const data = state.rest ? Buffer.concat([state.rest, chunk]) : chunk;
  let start = 0;
  while (data.length - start >= 4) {
    const end = start + 4 + data.readUInt32BE(start);
    if (end > data.length) break;
    send(socket, data.subarray(start, end));
    start = end;
  }
  // The chunk is Bun's to use again.
  state.rest = start < data.length ? Buffer.from(data.subarray(start)) : null;
}

const server = Bun.listen({
  ...(path ? { unix: path } : { hostname: '127.0.0.1', port: 0 }),
  socket: {
    open(socket) {
      socket.data = { unsent: [], rest: null };
      if (!path) socket.setNoDelay(true);
    },
    data: { echo: send, pipe, frames }[mode],
    drain,
    error() {},
  },
});
console.log(`LISTENING ${path ?? server.port}`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
