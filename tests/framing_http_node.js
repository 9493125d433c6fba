// The other side of tests/framing_http_node.rs.
//
//   node framing_http_node.js server        prints its port; answers each request with what it has read of it
//   node framing_http_node.js client PORT   sends the requests below, and prints what it reads of each answer
'use strict';
const http = require('node:http');

const words = (message, body) => [
  message.rawHeaders.join('|'), Buffer.concat(body).toString('latin1'), message.rawTrailers.join('|'),
].join('\n');

function collect(message, then) {
  const body = [];
  message.on('data', (chunk) => body.push(chunk));
  message.on('end', () => then(words(message, body)));
}

if (process.argv[2] === 'server') {
  const server = http.createServer((request, response) => {
    collect(request, (read) => {
      const text = Buffer.from(`${request.method} ${request.url} ${request.httpVersion}\n${read}`, 'latin1');
      const how = request.headers['x-answer'];
      if (how === 'chunks') {
        response.setHeader('Trailer', 'X-Sum');
        for (const byte of text) response.write(Buffer.of(byte));
        response.addTrailers({ 'X-Sum': text.length });
        response.end();
      } else if (how === 'none') {
        response.writeHead(204).end();
      } else {
        response.setHeader('Content-Length', text.length);
        response.end(text);
      }
    });
  });
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
  process.stdin.on('end', () => process.exit()).resume();
} else {
  const port = Number(process.argv[3]);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const requests = [
    { method: 'GET', path: '/get?a=b&c=%20|{}' },
    { method: 'HEAD', path: '/head' },
    { method: 'POST', path: '/length', body: ['hello'], headers: { 'Content-Length': 5 } },
    { method: 'POST', path: '/chunks', body: ['he', 'llo', 'x'.repeat(70000)], trailers: { 'X-Sum': '17' } },
    { method: 'PUT', path: '/continue', body: ['later'], headers: { Expect: '100-continue' } },
    { method: 'DELETE', path: '/none' },
    { method: 'OPTIONS', path: '*' },
    { method: 'GET', path: '/latin1', headers: { 'X-Text': 'caf\u00e9' } },
    { method: 'GET', path: '/to-the-end' },
    { method: 'GET', path: '/last', headers: { Connection: 'close' } },
  ];
  const next = () => {
    const { method, path, headers = {}, body = [], trailers } = requests.shift() ?? process.exit();
    if (trailers) headers.Trailer = Object.keys(trailers).join();
    const request = http.request({ port, host: '127.0.0.1', method, path, headers, agent });
    request.on('information', ({ statusCode }) => console.log(JSON.stringify(`${statusCode}`)));
    request.on('response', (response) => collect(response, (read) => {
      console.log(JSON.stringify(`${response.statusCode} ${response.statusMessage}\n${read}`));
      setImmediate(next);
    }));
    const send = () => {
      for (const chunk of body) request.write(chunk);
      if (trailers) request.addTrailers(trailers);
      request.end();
    };
    if (headers.Expect) {
      request.on('continue', send).flushHeaders();
    } else {
      send();
    }
  };
  next();
}
