// A daemon that keeps values, and its command: `set key value`, `get key`, `stop`.
//
// node daemon.mjs path             the daemon
// node daemon.mjs path get key     a command

import net from 'node:net';
import readline from 'node:readline';

const [path, ...command] = process.argv.slice(2);

function daemon() {
  const values = new Map();
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    readline.createInterface({ input: socket }).on('line', (line) => {
      const [verb, key, ...rest] = line.split(' ');
      if (verb === 'set') {
        values.set(key, rest.join(' '));
        socket.end('ok\n');
      } else if (verb === 'get') {
        socket.end(`${values.get(key) ?? 'nothing'}\n`);
      } else if (verb === 'stop') {
        socket.end('stopping\n');
        server.close();
      } else {
        socket.end(`what is ${verb}?\n`);
      }
    });
  });
  server.listen(path, () => console.log('listening'));
}

function send() {
  const socket = net.connect(path, () => socket.write(`${command.join(' ')}\n`));
  socket.setEncoding('utf8');
  socket.on('data', (text) => process.stdout.write(text));
  socket.on('error', (error) => {
    console.log(error.code);
    process.exitCode = 1;
  });
}

if (command.length > 0) send();
else daemon();
