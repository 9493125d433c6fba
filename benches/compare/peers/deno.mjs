// The servers on Deno's own sockets: `deno.mjs <mode> [bytes [path]]`.
import process from 'node:process';

const [mode, , path] = process.argv.slice(2);
const READ_BUFFER = 64 * 1024;

async function sendAll(socket, data) {
  for (let sent = 0; sent < data.length;) sent += await socket.write(data.subarray(sent));
}

async function echo(socket) {
  const buffer = new Uint8Array(READ_BUFFER);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return;
    await sendAll(socket, buffer.subarray(0, count));
  }
}

async function pipe(socket) {
  await socket.readable.pipeTo(socket.writable);
}

async function frames(socket) {
  const buffer = new Uint8Array(2 * READ_BUFFER);
  const view = new DataView(buffer.buffer);
  let held = 0;
  for (;;) {
    const count = await socket.read(buffer.subarray(held));
    if (count === null) return;
    held += count;
    let start = 0;
    while (held - start >= 4) {
      const end = start + 4 + view.getUint32(start);
      if (end > held) break;
      await sendAll(socket, buffer.subarray(start, end));
      start = end;
    }
    buffer.copyWithin(0, start, held);
    held -= start;
  }
}

async function serve(socket) {
  try {
    await ({ echo, pipe, frames })[mode](socket);
  } catch {
    // A client that is gone is no one's concern.
  }
  try {
    socket.close();
  } catch {
    // A pipe has closed it.
  }
}

const server = Deno.listen(path ? { transport: 'unix', path } : { hostname: '127.0.0.1', port: 0 });
console.log(`LISTENING ${path ?? server.addr.port}`);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
for (;;) {
  let socket;
  try {
    socket = await server.accept();
    if (!path) socket.setNoDelay(true);
  } catch {
    // Without a descriptor for it, a connection waits until another has gone.
    await new Promise((resolve) => setTimeout(resolve, 1));
    continue;
  }
  serve(socket);
}
