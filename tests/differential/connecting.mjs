// How connections are made, and how that fails.
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Nobody listens there.
const refused = { port: 1, host: '127.0.0.1' };

// A lookup that answers in a later turn.
function resolvesTo(...addresses) {
  return (host, options, done) => {
    setImmediate(() => {
      if (options.all) done(null, addresses.map((address) => ({ address, family: 4 })));
      else done(null, addresses[0], 4);
    });
  };
}

export function to_an_address(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    t.state(c, 'c');
    t.watch(c, 'c');
    c.on('ready', () => c.end('hi'));
  });
}

export function with_a_listener_for_the_connection(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1', () => { t.log('c', 'called'); c.end(); });
    t.flow(c, 'c');
    process.nextTick(() => t.log('c', 'tick'));
  });
}

export function refused_with_writes_and_an_end(t) {
  const c = net.connect(refused);
  t.flow(c, 'c');
  c.on('error', () => t.state(c, 'c'));
  t.write(c, 'c', 'one');
  t.write(c, 'c', 'two');
  t.end(c, 'c', 'three');
  t.state(c, 'c');
}

export function refused_without_anything(t) {
  t.on(net.connect(refused), 'c');
}

export function refused_with_an_end_only(t) {
  const c = t.on(net.connect(refused), 'c');
  t.end(c, 'c', '');
}

export function refused_and_nobody_listens_for_the_error(t) {
  const c = net.connect(refused);
  c.on('close', (hadError) => t.log('c', `close(${hadError})`));
}

export function destroyed_in_the_same_callback(t) {
  t.listen({}, () => t.log('S', 'connection'), (port, server) => {
    const c = net.connect(port, '127.0.0.1');
    t.on(c, 'c');
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    t.end(c, 'c', '');
    c.destroy();
    t.state(c, 'c');
    server.close();
  });
}

export function destroyed_with_an_error_in_the_same_callback(t) {
  t.listen({}, () => t.log('S', 'connection'), (port, server) => {
    const c = t.on(net.connect(port, '127.0.0.1'), 'c');
    t.write(c, 'c', 'one');
    t.write(c, 'c', 'two');
    c.destroy(t.error('MINE'));
    server.close();
  });
}

export function destroyed_after_the_attempt(t) {
  t.serve((port) => {
    const c = t.on(net.connect(port, '127.0.0.1'), 'c');
    c.on('connectionAttempt', () => process.nextTick(() => c.destroy()));
    t.write(c, 'c', 'one');
  });
}

export function destroyed_in_the_connect_listener(t) {
  t.serve((port) => {
    const c = t.flow(net.connect(port, '127.0.0.1'), 'c');
    t.write(c, 'c', 'one');
    c.prependListener('connect', () => c.destroy());
    t.write(c, 'c', 'two');
  });
}

export function destroyed_in_the_ready_listener(t) {
  t.serve((port) => {
    const c = t.flow(net.connect(port, '127.0.0.1'), 'c');
    t.write(c, 'c', 'one');
    c.on('ready', () => c.destroy(t.error('MINE')));
  });
}

export function destroyed_while_it_is_looked_up(t) {
  const c = net.connect({ port: 1, host: 'example.test', lookup: resolvesTo('127.0.0.1') });
  t.on(c, 'c');
  t.write(c, 'c', 'one');
  setImmediate(() => t.log('c', 'immediate'));
  c.destroy();
}

export function destroyed_in_the_lookup_listener(t) {
  const c = net.connect({ port: 1, host: 'example.test', lookup: resolvesTo('127.0.0.1', '127.0.0.2') });
  t.on(c, 'c');
  c.on('lookup', () => c.destroy());
}

export function destroyed_in_the_failed_attempt(t) {
  const c = t.on(net.connect(refused), 'c');
  c.on('connectionAttemptFailed', () => c.destroy());
  t.write(c, 'c', 'one');
}

export function destroyed_between_two_attempts(t) {
  const c = net.connect({ port: 1, host: 'example.test', lookup: resolvesTo('127.0.0.1', '127.0.0.2') });
  t.on(c, 'c');
  c.on('connectionAttemptFailed', () => c.destroy(t.error('MINE')));
  t.write(c, 'c', 'one');
}

export function destroyed_without_ever_connecting(t) {
  const c = t.on(new net.Socket(), 'c');
  c.destroy();
  t.state(c, 'c');
  process.nextTick(() => t.log('c', 'tick'));
  setImmediate(() => t.log('c', 'immediate'));
}

export function destroyed_with_an_error_without_ever_connecting(t) {
  const c = t.on(new net.Socket(), 'c');
  c.destroy(t.error('MINE'));
  process.nextTick(() => t.log('c', 'tick'));
  setImmediate(() => t.log('c', 'immediate'));
}

export function by_name_with_one_address(t) {
  t.serve((port) => {
    const c = net.connect({ port, host: 'example.test', lookup: resolvesTo('127.0.0.1') });
    t.watch(c, 'c');
    c.on('ready', () => c.end());
  });
}

export function by_name_with_a_first_address_that_refuses(t) {
  t.serve((port) => {
    const c = net.connect({ port, host: 'example.test', lookup: resolvesTo('127.0.0.2', '127.0.0.1') });
    t.flow(c, 'c');
    t.write(c, 'c', 'one');
    c.on('ready', () => {
      t.log('c', `${c.autoSelectFamilyAttemptedAddresses.length} ${c.remoteAddress}`);
      c.end();
    });
  });
}

export function by_name_with_addresses_that_all_refuse(t) {
  const c = net.connect({
    port: 1, host: 'example.test', lookup: resolvesTo('127.0.0.1', '127.0.0.2', '127.0.0.3'),
  });
  t.on(c, 'c');
  t.write(c, 'c', 'one');
  t.end(c, 'c', 'two');
}

export function by_name_with_one_family_takes_the_first_address(t) {
  const c = net.connect({
    port: 1, host: 'example.test', family: 4, lookup: resolvesTo('127.0.0.1', '127.0.0.2'),
  });
  t.on(c, 'c');
}

export function by_name_without_selection_takes_the_first_address(t) {
  const c = net.connect({
    port: 1, host: 'example.test', autoSelectFamily: false,
    lookup: resolvesTo('127.0.0.1', '127.0.0.2'),
  });
  t.on(c, 'c');
}

export function by_a_name_that_does_not_exist(t) {
  const lookup = (host, options, done) => setImmediate(() => done(t.error('ENOTFOUND')));
  const c = t.on(net.connect({ port: 1, host: 'example.test', lookup }), 'c');
  t.write(c, 'c', 'one');
}

export function by_a_lookup_that_answers_at_once(t) {
  t.serve((port) => {
    const lookup = (host, options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    const c = t.on(net.connect({ port, host: 'example.test', lookup }), 'c');
    t.state(c, 'c');
    c.on('ready', () => c.end());
  });
}

export function to_a_path_that_is_missing(t) {
  const c = net.connect('/missing/path.sock');
  t.flow(c, 'c');
  t.state(c, 'c');
  t.write(c, 'c', 'one');
}

export function to_a_path(t) {
  const path = join(tmpdir(), `soquete-differential-${process.pid}`);
  const server = net.createServer((s) => { t.flow(s, 's'); server.close(); });
  server.listen(path, () => {
    const c = t.flow(net.connect(path), 'c');
    t.state(c, 'c');
    t.write(c, 'c', 'one');
    c.on('ready', () => {
      t.state(c, 'c');
      try { c.resetAndDestroy(); } catch (error) { t.log('c', error.code); }
      t.end(c, 'c', 'two');
    });
  });
}

export function from_a_port_that_is_taken(t) {
  t.listen({}, () => {}, (port, server) => {
    const c = net.connect({ ...refused, localAddress: '127.0.0.1', localPort: port });
    t.on(c, 'c').on('close', () => server.close());
  });
}

export function from_an_address_that_is_not_ours(t) {
  const c = t.on(net.connect({ ...refused, localAddress: '192.0.2.1' }), 'c');
  t.write(c, 'c', 'one');
}

export function from_an_address_of_ours(t) {
  t.serve((port) => {
    const c = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' });
    t.flow(c, 'c');
    c.on('ready', () => { t.log('c', c.localAddress); c.end(); });
  });
}

export function connected_twice_while_connecting(t) {
  t.listen({}, (s) => s.destroy(), (port, server) => {
    const c = t.on(net.connect(port, '127.0.0.1', () => t.log('c', 'first')), 'c');
    c.connect(port, '127.0.0.1', () => t.log('c', 'second'));
    c.on('close', () => server.close());
  });
}

export function connected_again_in_the_close_listener(t) {
  t.listen({}, (s) => s.end('hello'), (port, server) => {
    const c = t.flow(net.connect(refused, () => t.log('c', 'first')), 'c');
    c.once('close', () => {
      t.state(c, 'c');
      c.connect(port, '127.0.0.1', () => t.log('c', 'second'));
      t.state(c, 'c');
      c.on('close', () => server.close());
    });
  });
}

export function connected_again_after_a_whole_life(t) {
  let lives = 0;
  t.listen({}, (s) => s.end('hello'), (port, server) => {
    const c = t.watch(net.connect(port, '127.0.0.1'), 'c');
    t.write(c, 'c', 'one');
    c.on('close', () => {
      if (++lives === 2) return server.close();
      c.connect(port, '127.0.0.1');
      t.write(c, 'c', 'two');
    });
  });
}

export function addresses_at_each_stage(t) {
  t.serve((port) => {
    const c = net.connect(port, '127.0.0.1');
    const show = (when) => t.log('c', `${when} ${c.remoteAddress} ${c.remoteFamily} ` +
      `${c.remotePort === port} ${c.localAddress}`);
    show('connecting');
    t.flow(c, 'c');
    c.on('ready', () => { show('ready'); c.end(); });
    c.on('end', () => show('end'));
    c.on('close', () => show('close'));
  });
}

export function remote_address_is_gone_if_nobody_asked(t) {
  t.pair((c) => {
    c.on('close', () => t.log('c', `${c.remoteAddress}`));
    c.destroy();
  });
}

export function end_before_the_connection_and_a_peer_that_talks(t) {
  const server = t.listen({ allowHalfOpen: true }, (s) => {
    t.flow(s, 's');
    server.close();
    s.write('hello');
    s.on('end', () => s.end('bye'));
  }, (port) => {
    const c = t.halves(net.connect(port, '127.0.0.1'), 'c');
    t.end(c, 'c>', 'x');
  });
}

export function unreferenced_while_connecting(t) {
  const server = t.listen({}, (s) => s.unref(), (port) => {
    server.unref();
    const c = t.on(net.connect(port, '127.0.0.1'), 'c');
    c.unref();
  });
}

export function paused_connection_does_not_keep_the_loop_alive(t) {
  const server = t.listen({ pauseOnConnect: true }, (s) => t.on(s, 's'), (port) => {
    const c = t.on(net.connect(port, '127.0.0.1'), 'c');
    c.pause();
    c.on('ready', () => server.close());
  });
}
