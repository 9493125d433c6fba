// A client that comes back: it says hello on each connection, and is content when it hears bye.
//
// node reconnect.mjs port

import net from 'node:net';

const FIRST_DELAY = 20;
const LONGEST_DELAY = 160;

let delay = FIRST_DELAY;
let content = false;

function connect() {
  const socket = net.connect(process.argv[2], '127.0.0.1', () => {
    delay = FIRST_DELAY;
    console.log('connected');
    socket.write('hello\n');
  });
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    console.log(`heard ${text.trim()}`);
    content = text === 'bye\n';
  });
  socket.on('error', (error) => console.log(error.code));
  socket.on('close', () => {
    if (content) return;
    console.log(`again in ${delay} ms`);
    setTimeout(connect, delay);
    delay = Math.min(delay * 2, LONGEST_DELAY);
  });
}

connect();
