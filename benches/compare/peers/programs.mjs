// What the programs of Node's benchmark/net do, written anew for all that have node:net:
// `node.mjs programs <program> <ms to warm up> <ms to measure> <parameters>`. It says RATES and the figures, or what is
// wrong, and stays until its stdin closes.
import net from 'node:net';
import process from 'node:process';
import { setTimeout } from 'node:timers';

const programs = {
  'net-c2s': clientToServer,
  'net-s2c': serverToClient,
  'net-pipe': thereAndBack,
  'net-c2s-cork': clientToServerCorked,
};

export async function run([program, warmUp, measure, ...parameters]) {
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
  const times = [Number(warmUp), Number(measure)];
  try {
    const rates = program === 'net-blocklist'
      ? blockList(times, ...parameters)
      : [await gigabits(programs[program], times, ...parameters)];
    console.log(`RATES ${rates.join(' ')}`);
  } catch (error) {
    console.log(`${error}`);
  }
}

// Once to warm up, and once more.
async function gigabits(program, times, length, type, ...more) {
  let figure;
  for (const milliseconds of times) {
    const course = new Course(milliseconds, Number(length), type);
    program(course, ...more);
    figure = await course.finished;
  }
  return figure;
}

// One connection's bytes: what is written of them, and what has arrived.
class Course {
  written = 0;
  received = 0;
  isOver = false;

  constructor(milliseconds, length, type) {
    this.milliseconds = milliseconds;
    this.length = length;
    this.finished = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    switch (type) {
      case 'buf':
        this.chunk = Buffer.alloc(length, 'x');
        break;
      case 'asc':
        this.chunk = 'x'.repeat(length);
        this.encoding = 'ascii';
        break;
      case 'utf':
        // Two bytes each.
        this.chunk = 'ü'.repeat(length / 2);
        this.encoding = 'utf8';
        break;
    }
  }

  start() {
    this.started = performance.now();
    setTimeout(() => { this.isOver = true; }, this.milliseconds);
  }

  write(socket) {
    this.written += this.length;
    return socket.write(this.chunk, this.encoding);
  }

  // Writes to a socket whenever it takes more, until the time is over.
  pour(socket) {
    const flow = () => {
      if (this.isOver) socket.end();
      else if (this.write(socket)) process.nextTick(flow);
      else socket.once('drain', flow);
    };
    flow();
  }

  // What a socket is piped to. Not a whole stream, which would have a part in the figure.
  sink(ways) {
    const ignore = () => {};
    return {
      writable: true,
      write: (chunk) => {
        this.received += chunk.length;
        return true;
      },
      end: () => this.finish(ways),
      on: ignore,
      once: ignore,
      emit: ignore,
      prependListener: ignore,
    };
  }

  // After the last byte, which has gone one way, or there and back.
  finish(ways) {
    const seconds = (performance.now() - this.started) / 1000;
    if (this.received !== this.written) {
      this.reject(new Error(`${this.received} bytes of ${this.written} arrived`));
    }
    this.resolve((ways * this.received * 8) / 2 ** 30 / seconds);
  }
}

// A server and its client, which is connected when it is handed over.
function connect(course, onConnection, onConnect, options = {}) {
  const server = net.createServer((socket) => {
    // No other comes.
    server.close();
    socket.on('error', course.reject);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1', () => {
    const socket = net.connect({ port: server.address().port, host: '127.0.0.1', ...options });
    socket.on('error', course.reject);
    socket.on('connect', () => {
      course.start();
      onConnect(socket);
    });
  });
}

function clientToServer(course) {
  connect(course, (socket) => socket.pipe(course.sink(1)), (socket) => course.pour(socket));
}

// With the size of a buffer to read into, if it is not 0, and whether a function hands out three of them in turn.
function serverToClient(course, size, inTurn) {
  const pour = (socket) => course.pour(socket);
  if (size === '0') {
    connect(course, pour, (socket) => socket.pipe(course.sink(1)));
    return;
  }
  const buffers = Array.from({ length: 3 }, () => Buffer.alloc(Number(size)));
  let turn = 0;
  const next = () => {
    turn = (turn + 1) % buffers.length;
    return buffers[turn];
  };
  const callback = (count) => { course.received += count; };
  const onread = { buffer: inTurn === 'true' ? next : buffers[0], callback };
  connect(course, pour, (socket) => socket.on('end', () => course.finish(1)), { onread });
}

function thereAndBack(course) {
  connect(course, (socket) => socket.pipe(socket), (socket) => {
    course.pour(socket);
    socket.pipe(course.sink(2));
  });
}

function clientToServerCorked(course) {
  connect(course, (socket) => socket.pipe(course.sink(1)), (socket) => {
    const send = () => {
      if (course.isOver) {
        socket.end();
        return;
      }
      socket.cork();
      while (course.write(socket));
      socket.uncork();
    };
    socket.on('drain', send);
    send();
  });
}

// How often a second something can be done with a list, for each number of rules.
function blockList([warmUp, measure], operation, ruleType, result, ...ruleCounts) {
  return ruleCounts.map((ruleCount) => {
    const work = blockListWork(operation, ruleType, result, Number(ruleCount));
    repeat(work, warmUp);
    return repeat(work, measure);
  });
}

// In batches, for the clock to be a small part of each.
function repeat(work, milliseconds) {
  let done = 0;
  let batch = 1;
  let elapsed = 0;
  const start = performance.now();
  while (elapsed < milliseconds) {
    for (let i = 0; i < batch; i++) work();
    done += batch;
    elapsed = performance.now() - start;
    if (elapsed < milliseconds / 10) batch *= 2;
  }
  return (done / elapsed) * 1000;
}

function blockListWork(operation, ruleType, result, ruleCount) {
  if (operation === 'addAddress' || operation === 'addAddresses') {
    const addresses = addressesOf(ruleCount);
    const build = operation === 'addAddress' ? addressByAddress : allAddresses;
    const { length } = build(addresses).rules;
    if (length !== ruleCount) throw new Error(`a list of ${length} rules, not of ${ruleCount}`);
    return () => build(addresses);
  }
  const list = listOf(ruleType, ruleCount);
  const text = result === 'hit' ? '10.0.0.1' : '192.168.255.255';
  const address = operation === 'check' ? text : new net.SocketAddress({ address: text });
  // Node's program looks for the same address in subnets that it is not in.
  const isBlocked = result === 'hit' && ruleType !== 'subnet';
  if (list.check(address) !== isBlocked) throw new Error(`${text} is blocked: ${!isBlocked}`);
  return () => list.check(address);
}

function listOf(ruleType, ruleCount) {
  const half = ruleType === 'mixed' ? Math.floor(ruleCount / 2) : ruleCount;
  const list = addressByAddress(ruleType === 'subnet' ? [] : addressesOf(half));
  const subnets = ruleType === 'address' ? 0 : half;
  for (let i = 0; i < subnets; i++) list.addSubnet(`172.${i >> 8}.${i & 255}.0`, 24);
  return list;
}

// From 10.0.0.1 on.
function addressesOf(count) {
  return Array.from({ length: count }, (_, index) => {
    const last = index + 1;
    return `10.${last >> 16}.${(last >> 8) & 255}.${last & 255}`;
  });
}

function addressByAddress(addresses) {
  const list = new net.BlockList();
  for (const address of addresses) list.addAddress(address);
  return list;
}

function allAddresses(addresses) {
  const list = new net.BlockList();
  list.addAddresses(addresses);
  return list;
}
