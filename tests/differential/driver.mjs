// Runs every scenario that a family exports, one after the other, and prints what happened.
//
//   node driver.mjs ending
//
// A scenario is over when nothing keeps the loop alive any more, which is when `run` returns in Rust:
// so what keeps it alive is compared, too. The output is that of `Trace::text` in trace.rs.
import { writeSync } from 'node:fs';
import net from 'node:net';

const WATCHDOG_MS = 10_000;

// Those that come in, or say how they come in; the others are of the half that goes out.
const INCOMING = new Set(['data', 'end', 'pause', 'resume', 'readable']);
const EVENTS = [
  'lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout', 'connect',
  'ready', 'end', 'drain', 'prefinish', 'finish', 'timeout', 'pause', 'resume', 'pipe', 'unpipe',
  'error', 'close', 'listening', 'connection', 'drop',
];

class Trace {
  #lanes = new Map();

  // A line of its own.
  log(lane, text) {
    const lines = this.#lanes.get(lane) ?? [];
    this.#lanes.set(lane, lines);
    lines.push({ text });
  }

  // Bytes, in one line with those right before them: where TCP cuts them means nothing.
  data(lane, chunk) {
    const last = this.#lanes.get(lane)?.at(-1);
    if (last?.bytes) {
      last.bytes = Buffer.concat([last.bytes, Buffer.from(chunk)]);
    } else {
      this.log(lane, '');
      this.#lanes.get(lane).at(-1).bytes = Buffer.from(chunk);
    }
  }

  // Records every event but `data` and `readable`, which change what they observe.
  on(emitter, lane) {
    for (const name of EVENTS) {
      emitter.on(name, (...payload) => this.log(lane, describe(name, payload, emitter)));
    }
    return emitter;
  }

  // Records every event but `readable`, and so lets the socket flow.
  flow(socket, lane) {
    this.on(socket, lane);
    return socket.on('data', (chunk) => this.data(lane, chunk));
  }

  // As `flow`, with the two halves in lanes of their own: for ends that do not wait for each other.
  halves(socket, lane) {
    for (const name of EVENTS) {
      const half = INCOMING.has(name) ? `${lane}<` : `${lane}>`;
      socket.on(name, (...payload) => this.log(half, describe(name, payload, socket)));
    }
    return socket.on('data', (chunk) => this.data(`${lane}<`, chunk));
  }

  // As `flow`, with what the getters say at each event.
  watch(socket, lane) {
    for (const name of EVENTS) {
      socket.on(name, (...payload) => {
        this.log(lane, `${describe(name, payload, socket)} ${state(socket)}`);
      });
    }
    return socket.on('data', () => this.log(lane, `data ${state(socket)}`));
  }

  state(socket, lane) {
    this.log(lane, state(socket));
  }

  // An error of the scenario's own.
  error(code) {
    return Object.assign(new Error('of the scenario'), { code });
  }

  // A callback that records its outcome.
  cb(lane, name) {
    return (error) => this.log(lane, `cb:${name}(${error ? error.code : null})`);
  }

  // Writes `text`, and records what `write` answers and what the callback is told.
  write(socket, lane, text) {
    this.log(lane, `write(${text}) ${socket.write(text, this.cb(lane, text))}`);
  }

  // As `write`, for so many bytes.
  writeBytes(socket, lane, count) {
    const room = socket.write(Buffer.alloc(count, '.'), this.cb(lane, 'bytes'));
    this.log(lane, `write(${count}) ${room}`);
  }

  // Ends with `text`, and records what the callback is told.
  end(socket, lane, text) {
    if (text) socket.end(text, this.cb(lane, 'end'));
    else socket.end(this.cb(lane, 'end'));
  }

  // Two ends of a connection that is up, from an immediate; the server is closed.
  pair(then, { client = {}, server: options = {} } = {}) {
    const ends = {};
    const joined = (end) => {
      Object.assign(ends, end);
      if (ends.c && ends.s) setImmediate(() => then(ends.c, ends.s));
    };
    const server = net.createServer(options, (s) => {
      server.close();
      joined({ s });
    });
    server.listen(0, '127.0.0.1', () => {
      const c = net.connect({ port: server.address().port, host: '127.0.0.1', ...client });
      c.once('connect', () => joined({ c }));
    });
  }

  // A server on a free port, which is handed to `then`.
  listen(options, connected, then) {
    const server = net.createServer(options, connected);
    server.listen(0, '127.0.0.1', () => then(server.address().port, server));
    return server;
  }

  // A server for one connection, whose end flows into lane `s`.
  serve(then) {
    const server = this.listen({}, (s) => { this.flow(s, 's'); server.close(); }, then);
  }

  // Looks in every turn of the loop.
  until(holds, then) {
    setImmediate(() => (holds() ? then() : this.until(holds, then)));
  }

  // Lets the loop turn, for what must not happen to have had its chance.
  turns(count, then) {
    setImmediate(() => (count > 1 ? this.turns(count - 1, then) : then()));
  }

  text() {
    const lanes = [...this.#lanes.keys()].sort();
    return lanes.map((lane) => {
      const lines = this.#lanes.get(lane).map(shown);
      // A lane that begins with a slash is short, one of many, and one line.
      if (lane.startsWith('/')) return `${lane}: ${lines.join(' | ')}\n`;
      return lines.map((line) => `${lane}: ${line}\n`).join('');
    }).join('');
  }
}

function shown({ text, bytes }) {
  if (!bytes) return text;
  return bytes.length > 40 ? `data ${bytes.length} bytes` : `data ${bytes}`;
}

function describe(name, payload, emitter) {
  switch (name) {
    case 'error': return describeError('error', payload[0]);
    // A socket that never had a descriptor leaves the argument out.
    case 'close': return `close(${payload[0] ?? Boolean(emitter.errored)})`;
    case 'lookup': return `lookup(${payload[0] ? payload[0].code : payload[1]})`;
    case 'connectionAttempt':
    case 'connectionAttemptTimeout': return `${name}(${payload[0]})`;
    case 'connectionAttemptFailed': return `${name}(${payload[0]} ${payload[3].code})`;
    default: return name;
  }
}

function describeError(name, error) {
  if (error.errors) return `${name} ${error.code} [${error.errors.map((e) => e.code).join(' ')}]`;
  return `${name} ${error.code}: ${error.message.replace(/:\d+/g, ':PORT')}`;
}

const FLAGS = [
  'connecting', 'pending', 'destroyed', 'readable', 'writable', 'readableEnded', 'writableEnded',
  'writableFinished', 'writableNeedDrain',
];

function state(socket) {
  const flags = FLAGS.filter((flag) => socket[flag]).join(' ');
  return `[${socket.readyState} ${flags} flowing=${socket.readableFlowing} ` +
    `kept=${socket.readableLength} queued=${socket.writableLength}]`;
}

const family = await import(`./${process.argv[2]}.mjs`);
const waiting = Object.entries(family);
let running;

process.on('uncaughtException', (error) => running?.trace.log('!', describeError('uncaught', error)));
process.on('beforeExit', next);
next();

function next() {
  if (running) {
    clearTimeout(running.watchdog);
    writeSync(1, `== ${running.name}\n${running.trace.text()}`);
  }
  const [name, scenario] = waiting.shift() ?? [];
  if (!name) {
    running = undefined;
    return;
  }
  const trace = new Trace();
  const watchdog = setTimeout(() => {
    writeSync(1, `== ${name}\n${trace.text()}!: still running after ${WATCHDOG_MS} ms\n`);
    process.exit(1);
  }, WATCHDOG_MS).unref();
  running = { name, trace, watchdog };
  setImmediate(() => scenario(trace, net));
}
