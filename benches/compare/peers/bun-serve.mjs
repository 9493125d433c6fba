// HTTP and WebSocket on Bun's own server: `bun-serve.mjs <mode>`, though it serves both in either.
import process from 'node:process';

const headers = { 'Content-Type': 'text/plain' };

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  routes: { '/hello': () => new Response('Hello, world!\n', { headers }) },
  fetch(request, server) {
    if (!server.upgrade(request)) return new Response(null, { status: 404 });
  },
  websocket: {
    perMessageDeflate: false,
    message(socket, message) { socket.send(message); },
  },
});
console.log(`LISTENING ${server.port}`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
