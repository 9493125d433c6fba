// An echo in two processes, for Node and Bun: `cluster.mjs echo` has the first process accept for both,
// `cluster.mjs echo-reuse-port` has the kernel choose.
import cluster from 'node:cluster';
import net from 'node:net';
import process from 'node:process';

const reusePort = process.argv[2] === 'echo-reuse-port';

if (cluster.isPrimary) {
  cluster.fork({ PORT: 0 });
  cluster.once('message', (worker, port) => {
    // Where the first process listens for both, the same 0 stands for the same port.
    cluster.fork({ PORT: reusePort ? port : 0 });
    cluster.once('message', () => console.log(`LISTENING ${port}`));
  });
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
} else {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => {});
  });
  const place = { port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096, reusePort };
  server.listen(place, () => process.send(server.address().port));
}
