// A reverse proxy: connections go to the upstreams in turn; one that cannot be reached is passed over.
//
// node proxy.mjs port upstream-port...

import net from 'node:net';
import { pipeline } from 'node:stream';

const [port, ...upstreams] = process.argv.slice(2);

function attempt(client, [port, ...others]) {
  if (!port) {
    client.end('no upstream\n').resume();
    return;
  }
  const upstream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const refused = () => attempt(client, others);
  upstream.once('error', refused);
  upstream.once('connect', () => {
    upstream.off('error', refused);
    pipeline(client, upstream, () => {});
    pipeline(upstream, client, () => {});
  });
}

const options = { allowHalfOpen: true, pauseOnConnect: true };
const server = net.createServer(options, (client) => {
  client.on('error', () => {});
  attempt(client, upstreams);
  upstreams.push(upstreams.shift());
});

server.listen(port, () => console.log(`listening on ${server.address().port}`));
