// Which addresses a socket connects to and from, and which it does not.
import net from 'node:net';

const LOCAL = '127.0.0.1';
const family = (address) => (net.isIPv6(address) ? 6 : 4);

// A lookup that answers in a later turn.
function resolvesTo(...addresses) {
  return (host, options, done) => setImmediate(() => {
    if (options.all) done(null, addresses.map((a) => ({ address: a, family: family(a) })));
    else done(null, addresses[0], family(addresses[0]));
  });
}

function blocking(...addresses) {
  const list = new net.BlockList();
  for (const address of addresses) list.addAddress(address, `ipv${family(address)}`);
  return list;
}

function attempted(t, c) {
  const list = c.autoSelectFamilyAttemptedAddresses;
  t.log('c', `attempted ${list ? list.map((a) => a.replace(/:\d+$/, '')).join(' ') : list}`);
}

export function a_blocked_address(t) {
  t.on(net.connect({ port: 1, host: LOCAL, blockList: blocking(LOCAL) }), 'c');
}

export function a_blocked_address_of_a_name(t) {
  const lookup = resolvesTo(LOCAL);
  t.on(net.connect({ port: 1, host: 'x', lookup, family: 4, blockList: blocking(LOCAL) }), 'c');
}

export function the_only_address_of_a_name_is_blocked(t) {
  const lookup = resolvesTo(LOCAL);
  t.on(net.connect({ port: 1, host: 'x', lookup, blockList: blocking(LOCAL) }), 'c');
}

export function all_of_several_addresses_are_blocked(t) {
  const lookup = resolvesTo(LOCAL, '::1');
  const c = net.connect({ port: 1, host: 'x', lookup, blockList: blocking(LOCAL, '::1') });
  t.on(c, 'c').on('close', () => attempted(t, c));
}

export function the_first_of_several_addresses_is_blocked(t) {
  t.serve((port) => {
    const lookup = resolvesTo('127.0.0.2', LOCAL);
    const c = net.connect({ port, host: 'x', lookup, blockList: blocking('127.0.0.2') });
    t.on(c, 'c').on('ready', () => {
      attempted(t, c);
      c.end();
    });
    c.resume();
  });
}

export function a_mapped_address_is_blocked_by_its_ipv4_rule(t) {
  const c = net.connect({ port: 1, host: `::ffff:${LOCAL}`, blockList: blocking(LOCAL) });
  t.on(c, 'c');
}

export function families_take_turns(t) {
  const lookup = resolvesTo('127.0.0.2', '127.0.0.3', '::1', '127.0.0.2', '127.0.0.4');
  const c = net.connect({ port: 1, host: 'x', lookup });
  t.on(c, 'c').on('close', () => attempted(t, c));
}

export function the_same_address_twice_is_one(t) {
  const lookup = resolvesTo(LOCAL, LOCAL);
  const c = net.connect({ port: 1, host: 'x', lookup });
  t.on(c, 'c').on('close', () => attempted(t, c));
}

export function what_a_lookup_is_asked_for(t) {
  const asked = (options) => {
    const lookup = (host, { family, hints, all }, done) => {
      t.log('c', `${host} ${family ?? 0} ${hints} ${all ?? false}`);
      done(new Error('enough'));
    };
    net.connect({ port: 1, host: 'x', lookup, ...options }).on('error', () => {});
  };
  asked({});
  asked({ family: 4 });
  asked({ family: 6 });
  asked({ hints: 8 });
  asked({ family: 6, hints: 8 | 16 });
  asked({ autoSelectFamily: false });
  asked({ localAddress: LOCAL });
}

export function destroyed_while_one_of_several_is_attempted(t) {
  const c = net.connect({ port: 1, host: 'x', lookup: resolvesTo(LOCAL, '127.0.0.2') });
  t.on(c, 'c');
  c.on('connectionAttempt', () => process.nextTick(() => c.destroy()));
}

export function destroyed_while_the_only_one_is_attempted(t) {
  const c = net.connect({ port: 1, host: 'x', lookup: resolvesTo(LOCAL) });
  t.on(c, 'c');
  c.on('connectionAttempt', () => process.nextTick(() => c.destroy()));
}

export function several_from_a_port_that_is_taken(t) {
  const s = net.createServer().listen(0, () => {
    const localPort = s.address().port;
    const c = net.connect({ port: 1, host: 'x', localPort, lookup: resolvesTo(LOCAL, '::1') });
    t.on(c, 'c').on('close', () => s.close());
  });
}

export function refused_from_a_port_of_ours(t) {
  const probe = net.createServer().listen(0, LOCAL, () => {
    const localPort = probe.address().port;
    probe.close(() => {
      const c = t.on(net.connect({ port: 1, host: LOCAL, localPort }), 'c');
      c.on('error', (error) => t.log('c', `${error.localAddress} ${error.localPort === localPort}`));
    });
  });
}

export function from_an_address_of_the_other_family(t) {
  t.on(net.connect({ port: 1, host: LOCAL, localAddress: '::1' }), 'c');
}

export function to_the_port_zero(t) {
  const c = t.on(net.connect(0, LOCAL), 'c');
  c.on('error', (error) => t.log('c', `${error.address} ${error.port}`));
}

export function to_an_address_that_the_kernel_refuses_at_once(t) {
  t.on(net.connect(80, '255.255.255.255'), 'c');
}

export function several_that_the_kernel_refuses_at_once(t) {
  const lookup = resolvesTo('255.255.255.255', LOCAL);
  const c = net.connect({ port: 1, host: 'x', lookup });
  t.on(c, 'c').on('close', () => attempted(t, c));
}

export function an_address_in_an_odd_form_is_shown_as_it_was_written(t) {
  t.on(net.connect(1, '0:0::1'), 'c');
}

export function aborted_while_connecting(t) {
  const controller = new AbortController();
  t.listen({}, () => {}, (port, server) => {
    const c = net.connect({ port, host: LOCAL, signal: controller.signal });
    t.on(c, 'c').on('close', () => server.close());
    c.on('connectionAttempt', () => process.nextTick(() => {
      controller.abort();
      t.log('c', `destroyed=${c.destroyed}`);
    }));
  });
}

export function aborted_when_connected(t) {
  const controller = new AbortController();
  t.listen({}, (s) => s.on('error', () => {}), (port, server) => {
    const c = net.connect({ port, host: LOCAL, signal: controller.signal });
    t.on(c, 'c').on('close', () => server.close());
    c.on('ready', () => controller.abort());
  });
}

export function aborted_after_the_close(t) {
  const controller = new AbortController();
  t.listen({}, (s) => s.end(), (port, server) => {
    const c = net.connect({ port, host: LOCAL, signal: controller.signal });
    t.on(c, 'c').on('close', () => {
      server.close();
      controller.abort();
    });
  });
}

export function a_bound_socket_connects(t) {
  t.serve((port) => {
    const bound = new net.BoundSocket({ host: LOCAL });
    const local = bound.address().port;
    const c = t.flow(new net.Socket({ handle: bound }), 'c');
    t.log('c', `${c.localPort === local} ${c.connecting}`);
    c.connect(port, LOCAL);
    t.log('c', `${c.localAddress} ${c.localPort === local} ${c.connecting}`);
    c.on('ready', () => {
      t.log('c', `${c.localPort === local}`);
      c.end('hi');
    });
  });
}

export function a_bound_socket_connects_by_name(t) {
  t.serve((port) => {
    const bound = new net.BoundSocket({ host: LOCAL });
    const c = t.flow(new net.Socket({ handle: bound }), 'c');
    c.connect({ port, host: 'x', lookup: resolvesTo(LOCAL, '127.0.0.2') });
    c.on('ready', () => c.end('hi'));
  });
}

export function the_default_is_to_try_all_addresses(t) {
  t.log('c', `${net.getDefaultAutoSelectFamily()}`);
  net.setDefaultAutoSelectFamily(false);
  const lookup = (host, { all }, done) => done(new Error(t.log('c', `${all ?? false}`)));
  net.connect({ port: 1, host: 'x', lookup }).on('error', () => {});
  net.setDefaultAutoSelectFamily(true);
  const before = net.getDefaultAutoSelectFamilyAttemptTimeout();
  net.setDefaultAutoSelectFamilyAttemptTimeout(3);
  t.log('c', `${before} ${net.getDefaultAutoSelectFamilyAttemptTimeout()}`);
  net.setDefaultAutoSelectFamilyAttemptTimeout(before);
}
