// Node's client against tests/http_server.rs: node http_server.js PORT
'use strict';
const assert = require('node:assert');
const http = require('node:http');
const net = require('node:net');

const port = Number(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
const sockets = new Set();

function ask(options, body = []) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', agent, ...options }, (response) => {
      sockets.add(response.socket);
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString(),
      }));
    });
    request.on('error', reject);
    for (const chunk of body) request.write(chunk);
    request.end();
  });
}

function pipelined(count) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.split('Hello, world!\n').length > count) socket.end();
    });
    socket.on('close', () => resolve(text.split('HTTP/1.1 200 OK\r\n').length - 1));
    socket.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count));
  });
}

(async () => {
  const all = Array.from({ length: 100 }, (_, i) => ask({ path: i % 2 ? '/hello' : '/count/3' }));
  for (const [i, { status, body }] of (await Promise.all(all)).entries()) {
    assert.deepStrictEqual([status, body], [200, i % 2 ? 'Hello, world!\n' : '0\n1\n2\n']);
  }
  assert.ok(sockets.size <= 2, `${sockets.size} connections for 100 requests`);
  const big = 'x'.repeat(300000);
  const echo = await ask({ method: 'POST', path: '/echo', headers: { 'Content-Type': 'a/b' } }, [big, big]);
  assert.deepStrictEqual([echo.status, echo.headers['content-type'], echo.body], [200, 'a/b', big + big]);
  const page = await ask({ path: '/' });
  assert.match(page.body, /<title>/);
  const again = await ask({ path: '/', headers: { 'If-None-Match': page.headers.etag } });
  assert.deepStrictEqual([again.status, again.body], [304, '']);
  const head = await ask({ method: 'HEAD', path: '/' });
  assert.deepStrictEqual([head.status, head.headers['content-length'], head.body], [200, String(page.body.length), '']);
  const numbers = await ask({ path: '/count/200000' });
  assert.strictEqual(numbers.body.split('\n').length, 200001);
  const long = await ask({ path: '/long.txt' });
  assert.strictEqual(long.body.length, 3000000);
  assert.strictEqual((await ask({ path: '/none' })).status, 404);
  assert.strictEqual((await ask({ method: 'PUT', path: '/hello' }, ['x'])).status, 405);
  assert.strictEqual(await pipelined(500), 500);
  console.log('all is well');
  process.exit();
})();
