// A WebSocket that sends every message back, on npm's ws: `ws.mjs <its directory> <mode>`.
import { createRequire } from 'node:module';
import process from 'node:process';

const { WebSocketServer } = createRequire(import.meta.url)(process.argv[2]);

const options = { host: '127.0.0.1', port: 0, backlog: 4096, perMessageDeflate: false };
const server = new WebSocketServer(options, () => console.log(`LISTENING ${server.address().port}`));
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
