// Jobs by lines, `name milliseconds`: each is answered when it is done, or when it has taken too long.
// Who is silent for a second is let go.
//
// node jobs.mjs [port]

import net from 'node:net';
import readline from 'node:readline';

const LIMIT = 300;
const SILENCE = 1000;

const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.setTimeout(SILENCE, () => socket.end('silent for too long\n'));
  readline.createInterface({ input: socket }).on('line', (line) => {
    const [name, ms] = line.split(' ');
    if (!/^[0-9]+$/.test(ms)) {
      socket.end(`no job: ${line}\n`);
      return;
    }
    let over = false;
    const finish = (how) => {
      if (!over) socket.write(`${name} ${how}\n`);
      over = true;
    };
    const done = setTimeout(finish, ms, 'done');
    setTimeout(() => {
      clearTimeout(done);
      finish('timed out');
    }, LIMIT);
  });
});

server.listen(process.argv[2] ?? 3000, () => {
  console.log(`listening on ${server.address().port}`);
});
