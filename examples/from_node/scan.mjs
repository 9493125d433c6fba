// A port scanner: which ports of a host take connections?
//
// node scan.mjs host first last

import net from 'node:net';

const [host, first, last] = process.argv.slice(2);
const AT_ONCE = 100;
const PATIENCE = 500;

const open = [];
let next = Number(first);
let running = 0;

function scan() {
  while (running < AT_ONCE && next <= Number(last)) {
    const port = next++;
    running++;
    const socket = net.connect(port, host, () => {
      open.push(port);
      socket.destroy();
    });
    socket.setTimeout(PATIENCE, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      running--;
      scan();
    });
  }
  if (running === 0) {
    open.sort((a, b) => a - b);
    console.log(`open: ${open.join(' ')}`);
  }
}

scan();
