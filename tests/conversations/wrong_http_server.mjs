// As http_server.mjs, by hand, and wrong: a head has to come in one piece.
import net from 'node:net';

const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const text = chunk.toString('latin1');
    const head = text.indexOf('\r\n\r\n');
    const [method, url] = text.split(' ');
    const body = head < 0 ? '' : text.slice(head + 4);
    const answer = head < 0
      ? 'bad request\n'
      : `${method} ${url} ${body.length} ${JSON.stringify(body)}\n\n`;
    socket.write(`HTTP/1.1 ${head < 0 ? '400 Bad Request' : '200 OK'}\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${answer.length}\r\nDate: ${new Date().toUTCString()}\r\n` +
      `Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n${answer}`);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
