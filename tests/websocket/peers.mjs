// The other side, by npm's `ws`: `node peers.mjs client PORT` talks to an echo server, `node peers.mjs server` is one.
import { createRequire } from 'node:module';
import { strict as assert } from 'node:assert';
import { once } from 'node:events';

const { WebSocket, WebSocketServer } = createRequire(process.cwd() + '/')('ws');

const [role, port] = process.argv.slice(2);

if (role === 'server') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (socket, request) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    if (request.url === '/fragments') {
      socket.send('frag', { fin: false });
      socket.ping('between');
      socket.send('ments', { fin: true });
    }
    if (request.url === '/bye') socket.close(4001, 'as you like it');
    socket.on('close', (code, reason) => console.log(`closed ${code} ${reason}`));
  });
  await once(server, 'listening');
  console.log(server.address().port);
  process.stdin.resume().on('end', () => process.exit(0));
} else {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['soquete'], { perMessageDeflate: false });
  await once(socket, 'open');
  assert.equal(socket.protocol, 'soquete');
  for (const message of ['', 'Olá, 世界 🦀', 'x'.repeat(70_000), Buffer.alloc(0), Buffer.alloc(1 << 20, 7)]) {
    socket.send(message);
    const [data, binary] = await once(socket, 'message');
    assert.equal(binary, typeof message !== 'string');
    assert.ok(data.equals(Buffer.from(message)));
  }
  for (const part of ['one, ', '', 'two, ', 'three']) socket.send(part, { fin: part === 'three' });
  assert.equal(String((await once(socket, 'message'))[0]), 'one, two, three');
  socket.ping('are you there?');
  assert.equal(String((await once(socket, 'pong'))[0]), 'are you there?');
  socket.close(4000, 'enough');
  const [code, reason] = await once(socket, 'close');
  console.log(`closed ${code} ${reason}`);

  // A message above the server's limit.
  const loud = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  await once(loud, 'open');
  loud.send(Buffer.alloc((32 << 20) + 1));
  console.log(`closed ${(await once(loud, 'close'))[0]}`);
}
