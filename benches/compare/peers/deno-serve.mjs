// HTTP and WebSocket on Deno's own server: `deno-serve.mjs <mode>`.
import process from 'node:process';

const headers = { 'Content-Type': 'text/plain' };

function http(request) {
  if (!request.url.endsWith('/hello')) return new Response(null, { status: 404 });
  return new Response('Hello, world!\n', { headers });
}

function websocket(request) {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

Deno.serve({
  hostname: '127.0.0.1',
  port: 0,
  onListen: ({ port }) => console.log(`LISTENING ${port}`),
}, { http, websocket }[process.argv[2]]);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
