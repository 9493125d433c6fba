// Runs programs (program.rs says what they look like), one line of the input after the other, and
// answers each with one line: what happened, its lines joined by tabs. The other half is
// interpreter.rs.
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import stream from 'node:stream';

const PATTERN = Buffer.from('aé€😀');
// What `Tick`s of one millisecond without anything new mean, and how many there may be.
const QUIET_TICKS = 4;
const MOST_TICKS = 400;
// How many rules one socket may follow, for those that lead to themselves.
const MOST_RULES = 60;

const SOCKET_EVENTS = [
  'lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout', 'connect',
  'ready', 'end', 'drain', 'prefinish', 'finish', 'timeout', 'pause', 'resume', 'pipe', 'unpipe',
  'error', 'close',
];
const SERVER_EVENTS = ['listening', 'connection', 'drop', 'error', 'close'];

// The operations, as OPERATIONS in table.rs has them: `m` is a member of the program, `p` the program.
const OPERATIONS = {
  write: (p, m, n) => m.socket.write(m.bytes(n)),
  writeThen: (p, m, n) => m.socket.write(m.bytes(n), m.callback('written')),
  end: (p, m) => done(m.socket.end()),
  endWith: (p, m, n) => done(m.socket.end(m.bytes(n))),
  endThen: (p, m) => done(m.socket.end(m.callback('ended'))),
  endWithThen: (p, m, n) => done(m.socket.end(m.bytes(n), m.callback('ended'))),
  cork: (p, m) => done(m.socket.cork()),
  uncork: (p, m) => done(m.socket.uncork()),
  destroy: (p, m) => done(m.socket.destroy()),
  destroyWith: (p, m) => done(m.socket.destroy(mine())),
  destroySoon: (p, m) => done(m.socket.destroySoon()),
  reset: (p, m) => done(m.socket.resetAndDestroy()),
  pause: (p, m) => done(m.socket.pause()),
  resume: (p, m) => done(m.socket.resume()),
  flow: (p, m) => m.listen('data', 'on'),
  flowOnce: (p, m) => m.listen('data', 'once'),
  flowFirst: (p, m) => m.listen('data', 'prependListener'),
  unflow: (p, m) => m.unlisten('data'),
  readable: (p, m) => m.listen('readable', 'on'),
  readableFirst: (p, m) => m.listen('readable', 'prependListener'),
  unreadable: (p, m) => m.unlisten('readable'),
  read: (p, m) => shown(m.socket.read()),
  readExactly: (p, m, n) => shown(m.socket.read(n)),
  unshift: (p, m, n) => m.socket.unshift(Buffer.alloc(n, '^')),
  setEncoding: (p, m) => { m.isText = true; m.socket.setEncoding('utf8'); },
  allowHalfOpen: (p, m, n) => { m.socket.allowHalfOpen = n > 0; },
  setTimeout: (p, m, n) => { m.armed = n > 0; m.socket.setTimeout(n); },
  pipe: (p, m, other) => done(m.socket.pipe(other.socket)),
  pipeOnly: (p, m, other) => done(m.socket.pipe(other.socket, { end: false })),
  unpipe: (p, m, other) => done(m.socket.unpipe(other.socket)),
  unpipeAll: (p, m) => done(m.socket.unpipe()),
  pipeline: (p, m, other) => done(stream.pipeline(m.socket, other.socket, m.callback('pipelined'))),
  finished: (p, m) => done(stream.finished(m.socket, m.callback('finished'))),
  finishedReading: (p, m) => done(stream.finished(m.socket, { writable: false }, m.callback('finished'))),
  finishedWriting: (p, m) => done(stream.finished(m.socket, { readable: false }, m.callback('finished'))),
  connect: (p, m) => m.connect(),
  abort: (p, m) => m.controller?.abort(),
  stop: (p, m) => { m.stops = true; },
  look: (p, m) => look(m),
  tick: (p, m) => p.later(m, 'tick', (call) => process.nextTick(call)),
  immediate: (p, m) => p.later(m, 'immediate', setImmediate),
  timer: (p, m) => p.later(m, 'timer', (call) => setTimeout(call, 2)),
  throw: (p, m) => p.interrupt(m),
};

const SERVER_OPERATIONS = {
  close: (p, m) => done(m.server.close()),
  closeThen: (p, m) => done(m.server.close(m.callback('closed'))),
  maxConnections: (p, m, n) => { m.server.maxConnections = n; },
  look: (p, m) => `listening=${m.server.listening}`,
  connections: (p, m) => done(m.server.getConnections((error, count) => m.note(`connections ${count}`))),
  abort: (p, m) => m.controller?.abort(),
  tick: OPERATIONS.tick,
  immediate: OPERATIONS.immediate,
  timer: OPERATIONS.timer,
  throw: OPERATIONS.throw,
};

// What a socket is asked: its flags, and its values.
const FLAGS = [
  'connecting', 'pending', 'destroyed', 'readable', 'writable', 'readableEnded', 'writableEnded',
  'writableFinished', 'writableNeedDrain', 'allowHalfOpen',
];
const VALUES = [
  ['flowing', (m) => m.socket.readableFlowing],
  ['paused', (m) => m.socket.isPaused()],
  ['kept', (m) => (m.isText ? '-' : m.socket.readableLength)],
  ['queued', (m) => (m.socket.writableLength > 65536 ? 'much' : m.socket.writableLength)],
  ['corked', (m) => m.socket.writableCorked],
  ['errored', (m) => m.socket.errored?.code ?? m.socket.errored],
  ['received', (m) => m.socket.bytesRead],
  ['sent', (m) => (m.socket.destroyed ? '-' : m.socket.bytesWritten)],
  ['marks', (m) => `${m.socket.readableHighWaterMark}/${m.socket.writableHighWaterMark}`],
  ['timeout', (m) => (m.socket.destroyed ? '-' : m.socket.timeout ?? 0)],
  ['from', (m) => family(m.socket.localFamily)],
  ['to', (m) => (m.socket.destroyed ? '-' : family(m.socket.remoteFamily))],
];

function family(name) {
  return name ?? 'none';
}

function look(m) {
  const flags = FLAGS.filter((name) => m.socket[name]).join(' ');
  const values = VALUES.map(([name, ask]) => `${name}=${ask(m)}`).join(' ');
  return `[${m.socket.readyState} ${flags} ${values}]`;
}

function glance(m) {
  const flags = FLAGS.filter((name) => m.socket[name]).join(' ');
  const values = VALUES.slice(0, 6).map(([name, ask]) => `${name}=${ask(m)}`).join(' ');
  return `[${m.socket.readyState} ${flags} ${values}]`;
}

function done() {}

function mine() {
  return Object.assign(new Error('of the program'), { code: 'MINE' });
}

// Bytes as they are shown: their number, and a hash of them.
class Bytes {
  count = 0;
  hash = 0x811c9dc5;

  add(chunk) {
    const bytes = Buffer.from(chunk);
    this.count += bytes.length;
    for (const byte of bytes) this.hash = Math.imul(this.hash ^ byte, 0x01000193) >>> 0;
    return this;
  }

  toString() {
    return `${this.count} #${this.hash.toString(16)}`;
  }
}

function shown(chunk) {
  return chunk === null ? 'null' : String(new Bytes().add(chunk));
}

// A client, an accepted socket, or the server.
class Member {
  sent = 0;
  followed = 0;
  counts = new Map();
  listeners = {};
  lines = [];
  isGone = false;

  constructor(program, name, options) {
    Object.assign(this, { program, name, options });
  }

  note(text) {
    this.program.activity += 1;
    this.lines.push(text);
  }

  // Where TCP cuts bytes means nothing, so neighbours make one line.
  data(chunk) {
    const last = this.lines.at(-1);
    if (last instanceof Bytes) {
      this.program.activity += 1;
      last.add(chunk);
    } else {
      this.note(new Bytes().add(chunk));
    }
  }

  // The next `count` bytes of a stream that is valid UTF-8 as a whole.
  bytes(count) {
    const at = this.sent % PATTERN.length;
    this.sent += count;
    return Buffer.alloc(count + at, PATTERN).subarray(at);
  }

  callback(event) {
    return (error) => this.happens(event, `${event}(${error ? error.code : 'ok'})`);
  }

  happens(event, text) {
    // What the other ends of pipes are told when all is over is of no interest.
    if (this.program.isOver && event === 'unpipe') return;
    // When an attempt has failed, Node's sockets do not say that they still connect.
    const isWatched = this.program.watches && event !== 'connectionAttemptFailed' && !this.isGone;
    this.note(isWatched && this.socket ? `${text} ${glance(this)}` : text);
    this.follow(event);
  }

  // What the program says is to be done at this event.
  follow(event) {
    const count = (this.counts.get(event) ?? 0) + 1;
    this.counts.set(event, count);
    const { rules, isOver } = this.program;
    const rule = rules.get(`${this.name}.${event}#${count}`) ?? rules.get(`${this.name}.${event}#*`);
    if (rule && !isOver && this.followed++ < MOST_RULES) this.program.perform(this, rule);
  }

  listen(event, how) {
    if (this.listeners[event]) return;
    this.listeners[event] = (chunk) => {
      if (how === 'once') this.listeners[event] = undefined;
      if (event === 'data') this.data(chunk); else this.note('readable');
      this.follow(event);
    };
    this.socket[how](event, this.listeners[event]);
  }

  unlisten(event) {
    const listener = this.listeners[event];
    this.listeners[event] = undefined;
    if (listener) this.socket.removeListener(event, listener);
  }

  adopt(socket) {
    this.socket = socket;
    for (const event of SOCKET_EVENTS) {
      if (event === 'error' && this.options.deaf) continue;
      socket.on(event, (...payload) => {
        if (event === 'timeout') this.armed = false;
        // Once it has closed it can be told to connect, and once only.
        if (event === 'close') this.mayConnect = true;
        this.happens(event, describe(this, event, payload));
        if (event === 'ready' || event === 'close') this.settled();
        if (event === 'close' && this.mayConnect) this.isGone = true;
      });
    }
  }

  // A client is made when the one before it is connected or closed: how many connections a server
  // accepts in one turn is not to matter.
  settled() {
    if (this.isSettled || !this.name.startsWith('c')) return;
    this.isSettled = true;
    setImmediate(() => setImmediate(() => this.program.makeClient()));
  }

  connect() {
    if (!this.mayConnect) return;
    this.mayConnect = false;
    this.socket.connect(this.target());
  }

  make() {
    const { half, mark, onread, signal, late } = this.options;
    const options = { allowHalfOpen: Boolean(half), noDelay: true };
    if (mark) options.highWaterMark = Number(mark);
    if (signal) options.signal = (this.controller = new AbortController()).signal;
    if (onread) {
      options.onread = {
        buffer: Buffer.alloc(Number(onread)),
        callback: (count, buffer) => {
          this.stops = false;
          this.data(buffer.subarray(0, count));
          this.follow('data');
          return !this.stops;
        },
      };
    }
    this.mayConnect = Boolean(late);
    if (late) this.settled();
    this.adopt(late ? new net.Socket(options) : net.connect({ ...options, ...this.target() }));
  }

  target() {
    const { at, noauto } = this.options;
    const { address } = this.program;
    if (typeof address === 'string') return { path: address };
    if (!at) return { host: '127.0.0.1', port: address.port };
    const auto = noauto ? { autoSelectFamily: false } : {};
    return { host: 'name.test', port: address.port, lookup: lookup(at), ...auto };
  }
}

const ADDRESSES = { g: '127.0.0.1', r: '127.0.0.2', 6: '::1' };

// `s:rg` answers at once with an address that refuses and one that is the server's.
function lookup(at) {
  const [when, letters] = at.split(':');
  return (host, options, callback) => {
    const answer = () => {
      if (letters === 'e') {
        callback(Object.assign(new Error('getaddrinfo ENOTFOUND name.test'), { code: 'ENOTFOUND' }));
        return;
      }
      const found = [...letters].map((letter) => {
        const address = ADDRESSES[letter];
        return { address, family: net.isIP(address) };
      });
      if (options.all) callback(null, found);
      else callback(null, found[0].address, found[0].family);
    };
    if (when === 's') answer();
    else if (when === 't') process.nextTick(answer);
    else setImmediate(answer);
  };
}

function describe(m, event, payload) {
  switch (event) {
    case 'error': return `error ${describeError(payload[0])}`;
    // A socket that never had a descriptor leaves the argument out.
    case 'close': return `close(${payload[0] ?? (m.socket ? '?' : false)})`;
    case 'lookup': return `lookup(${payload[0] ? payload[0].code : payload[1]})`;
    case 'connectionAttempt':
    case 'connectionAttemptTimeout': return `${event}(${place(payload[0])})`;
    case 'connectionAttemptFailed': return `${event}(${place(payload[0])} ${payload[3].code})`;
    case 'pipe':
    case 'unpipe': return `${event}(${m.program.nameOf(payload[0])})`;
    default: return event;
  }
}

function place(address) {
  return String(address).includes('soquete-programs') ? 'PATH' : address;
}

function describeError(error) {
  const codes = error.errors ? ` [${error.errors.map((each) => each.code).join(' ')}]` : '';
  return `${error.code}${codes} syscall=${error.syscall ?? 'none'}`;
}

let served = 0;

class Program {
  activity = 0;
  waiting = 0;
  depth = 0;
  isOver = false;
  members = new Map();
  rules = new Map();
  uncaught = [];

  constructor(text) {
    const [head, ...sections] = text.split('; ').map((section) => section.trim().split(/\s+/));
    this.isIpc = head[0] === 'ipc';
    this.options = optionsOf(head);
    this.watches = this.options.watch;
    this.clients = [];
    for (const [name, ...words] of sections) {
      if (name.includes('.')) {
        const operations = words.join(' ').split(', ').map((words) => words.split(' '));
        this.rules.set(name, operations);
      } else {
        this.clients.push(new Member(this, name, optionsOf(words)));
      }
    }
  }

  nameOf(socket) {
    for (const [name, member] of this.members) if (member.socket === socket) return name;
    return '?';
  }

  perform(member, operations) {
    this.depth += 1;
    try {
      for (const [name, argument] of operations) this.operate(member, name, argument);
    } finally {
      this.depth -= 1;
    }
  }

  operate(from, name, argument) {
    const [target, verb] = name.includes('.') ? name.split('.') : [from.name, name];
    const member = this.members.get(target);
    if (!member || member.isGone) return;
    const table = member.server ? SERVER_OPERATIONS : OPERATIONS;
    let value = argument === undefined ? undefined : Number(argument);
    if (Number.isNaN(value)) {
      value = this.members.get(argument);
      if (!value?.socket || value.isGone) return;
    }
    const text = argument === undefined ? verb : `${verb} ${argument}`;
    member.note(`> ${text}`);
    try {
      const result = table[verb](this, member, value);
      if (result !== undefined) member.note(`= ${result}`);
    } catch (error) {
      if (error.code === 'THROWN') throw error;
      member.note(`= ${error.code}`);
    }
  }

  later(member, event, schedule) {
    this.waiting += 1;
    schedule(() => {
      this.waiting -= 1;
      member.note(event);
      member.follow(event);
    });
  }

  // Only out of a listener that nothing of the program's has led to: what else an exception would
  // stop on its way is none of the loop's business.
  interrupt(member) {
    if (this.depth === 1) throw Object.assign(new Error('of the program'), { code: 'THROWN' });
  }

  async run() {
    const server = new Member(this, 'S', this.options);
    this.members.set('S', server);
    const { half, pause, mark, max, signal } = this.options;
    const options = { allowHalfOpen: Boolean(half), pauseOnConnect: Boolean(pause), noDelay: true };
    if (mark) options.highWaterMark = Number(mark);
    server.server = net.createServer(options);
    if (max) server.server.maxConnections = Number(max);
    let accepted = 0;
    for (const event of SERVER_EVENTS) {
      server.server.on(event, (...payload) => {
        server.note(describe(server, event, payload));
        if (event === 'close') server.isGone = true;
        if (event === 'connection') {
          const member = new Member(this, `s${accepted++}`, this.options);
          this.members.set(member.name, member);
          member.adopt(payload[0]);
          member.follow('start');
        }
        server.follow(event);
        if (event === 'listening') this.begin();
      });
    }
    const listening = { backlog: 100 };
    if (this.isIpc) {
      listening.path = path.join(os.tmpdir(), `soquete-programs-${process.pid}-${served++}`);
    } else {
      Object.assign(listening, { host: '127.0.0.1', port: 0 });
    }
    if (signal) listening.signal = (server.controller = new AbortController()).signal;
    server.server.listen(listening);
    await this.quiet();
    this.isOver = true;
    for (const member of this.members.values()) {
      if (!member.isGone && member.socket) member.note(`at rest ${look(member)}`);
    }
    for (const member of this.members.values()) {
      if (!member.isGone) (member.socket ?? member.server)[member.socket ? 'destroy' : 'close']();
    }
    await this.quiet();
    for (const member of this.members.values()) if (!member.isGone) member.note('never closes');
  }

  begin() {
    const { server } = this.members.get('S');
    if (!server.listening) return;
    this.address = server.address();
    this.makeClient();
  }

  makeClient() {
    const client = this.clients.shift();
    if (!client || this.isOver) return;
    this.members.set(client.name, client);
    client.make();
    client.follow('start');
  }

  // Until nothing has happened for some turns of the loop, or everything has closed.
  quiet() {
    return new Promise((resolve) => {
      let [seen, calm, ticks] = [this.activity, 0, 0];
      const interval = setInterval(() => {
        const isArmed = [...this.members.values()].some((m) => m.armed && !m.isGone);
        const isBusy = this.waiting > 0 || (isArmed && !this.isOver);
        calm = seen === this.activity && !isBusy ? calm + 1 : 0;
        seen = this.activity;
        const isClosed = [...this.members.values()].every((member) => member.isGone);
        ticks += 1;
        if (ticks > MOST_TICKS) this.uncaught.push('restless');
        if (calm >= QUIET_TICKS || (calm > 0 && isClosed) || ticks > MOST_TICKS) {
          clearInterval(interval);
          resolve();
        }
      }, 1);
    });
  }

  text() {
    const lines = this.uncaught.map((line) => `!: ${line}`);
    for (const name of [...this.members.keys()].sort()) {
      for (const line of this.members.get(name).lines) {
        lines.push(`${name}: ${line instanceof Bytes ? `data ${line}` : line}`);
      }
    }
    return lines.join('\t');
  }
}

// `half mark=4` is `{ half: true, mark: '4' }`.
function optionsOf(words) {
  return Object.fromEntries(words.map((word) => {
    const at = word.indexOf('=');
    return at < 0 ? [word, true] : [word.slice(0, at), word.slice(at + 1)];
  }));
}

let running;
process.on('uncaughtException', (error) => {
  if (!running) throw error;
  running.activity += 1;
  running.uncaught.push(`uncaught ${describeError(error)}`);
});

if (process.argv[2] === 'names') {
  console.log([...Object.keys(OPERATIONS), ...Object.keys(SERVER_OPERATIONS)].join('\n'));
} else {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    running = new Program(line);
    await new Promise((begin) => { setImmediate(begin); });
    await running.run();
    process.stdout.write(`${running.text()}\n`);
  }
  running = undefined;
}
