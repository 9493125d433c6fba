// A chat: the first line is a nick, every other line goes to all others.
//
// node chat.mjs [port]

import net from 'node:net';
import readline from 'node:readline';

const room = new Map();

function say(text, except) {
  for (const socket of room.keys()) {
    if (socket !== except) socket.write(`${text}\n`);
  }
}

const server = net.createServer((socket) => {
  socket.write('nick?\n');
  readline.createInterface({ input: socket }).on('line', (line) => {
    const nick = room.get(socket);
    if (!nick) {
      room.set(socket, line);
      say(`* ${line} joined`);
    } else if (line === '/who') {
      socket.write(`* ${[...room.values()].join(' ')}\n`);
    } else if (line === '/quit') {
      socket.end('bye\n');
    } else {
      say(`${nick}: ${line}`, socket);
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    const nick = room.get(socket);
    if (!nick) return;
    room.delete(socket);
    say(`* ${nick} left`);
  });
});

server.listen(process.argv[2] ?? 3000, () => {
  console.log(`listening on ${server.address().port}`);
});
