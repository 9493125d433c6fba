// How servers begin to listen, take connections and close.
import net from 'node:net';

const LOCAL = '127.0.0.1';

function server(t, options, connected) {
  return t.on(net.createServer(options ?? {}, connected), 'S');
}

function listening(t, s, lane = 'S') {
  t.log(lane, `listening=${s.listening} address=${s.address() !== null}`);
}

export function close_twice_while_there_is_a_connection(t) {
  const s = server(t, {}, (c) => {
    s.close(t.cb('S', 'first'));
    s.close(t.cb('S', 'second'));
    c.destroy();
    c.on('close', () => t.log('S', `socket closed, server=${c.server === s}`));
  });
  s.listen(0, LOCAL, () => net.connect(s.address().port, LOCAL).resume().on('error', () => {}));
}

export function close_waits_for_the_connections(t) {
  const s = server(t, {}, (c) => {
    t.flow(c, 's');
    s.close(t.cb('S', 'close'));
    listening(t, s);
    s.getConnections((_, count) => t.log('S', `connections=${count}`));
    c.on('data', () => t.log('S', 'data'));
    c.on('end', () => t.log('S', 'end'));
    c.on('close', () => t.log('S', 'socket closed'));
  });
  s.listen(0, LOCAL, () => {
    const c = t.flow(net.connect(s.address().port, LOCAL), 'c');
    c.end('x');
  });
}

export function a_port_in_use(t) {
  const first = net.createServer().listen(0, LOCAL, () => {
    const s = server(t);
    s.listen(first.address().port, LOCAL, t.cb('S', 'failed listen'));
    s.once('error', () => {
      listening(t, s);
      first.close();
      s.listen(0, LOCAL, t.cb('S', 'second listen'));
      s.on('listening', () => s.close());
    });
  });
}

export function an_address_that_is_not_ours_with_a_port(t) {
  server(t).listen(45678, '192.0.2.1');
}

export function the_second_of_two_listens_counts(t) {
  const s = server(t);
  s.listen(0, LOCAL, t.cb('S', 'first'));
  s.listen(0, LOCAL, t.cb('S', 'second'));
  s.on('listening', () => s.close());
}

export function a_closed_connection_makes_room(t) {
  const s = server(t, {}, (c) => c.end('hello'));
  s.maxConnections = 1;
  s.listen(0, LOCAL, () => {
    const { port } = s.address();
    net.connect(port, LOCAL).resume().on('close', () => {
      t.flow(net.connect(port, LOCAL), 'c').on('close', () => s.close());
    });
  });
}

export function blocked_peers_are_closed_with_no_event(t) {
  const blockList = new net.BlockList();
  blockList.addAddress(LOCAL);
  const s = server(t, { blockList });
  s.listen(0, LOCAL, () => {
    const c = net.connect(s.address().port, LOCAL).resume();
    c.on('error', () => {});
    c.on('close', () => s.close());
  });
}

export function blocked_peers_in_their_mapped_form(t) {
  const blockList = new net.BlockList();
  blockList.addSubnet('127.0.0.0', 8);
  const s = server(t, { blockList });
  s.listen(0, () => {
    const c = net.connect(s.address().port, LOCAL).resume();
    c.on('error', () => {});
    c.on('close', () => s.close());
  });
}

export function a_signal_closes(t) {
  const controller = new AbortController();
  const s = server(t);
  s.listen({ port: 0, signal: controller.signal });
  s.on('listening', () => {
    controller.abort();
    listening(t, s);
  });
}

export function a_signal_that_was_aborted_before(t) {
  const controller = new AbortController();
  controller.abort();
  const s = server(t);
  s.listen({ port: 0, signal: controller.signal });
  listening(t, s);
}

export function a_signal_that_is_aborted_while_the_host_is_looked_up(t) {
  const controller = new AbortController();
  const s = server(t);
  s.listen({ port: 0, host: LOCAL, signal: controller.signal });
  controller.abort();
}

export function a_server_unreferenced_before_it_listens(t) {
  const s = server(t);
  s.unref();
  s.listen(0);
}

export function a_server_that_is_referenced_again(t) {
  const s = server(t);
  s.listen(0).unref().ref();
  setImmediate(() => setTimeout(() => s.close(), 1).unref());
}

export function ipv6_only_refuses_ipv4(t) {
  const s = server(t);
  s.listen({ port: 0, host: '::', ipv6Only: true }, () => {
    const c = t.on(net.connect(s.address().port, LOCAL), 'c');
    c.on('close', () => s.close());
  });
}

export function every_address_takes_ipv4_in_its_mapped_form(t) {
  const s = server(t, {}, (c) => {
    t.log('S', `${c.remoteAddress} ${c.remoteFamily} ${c.localAddress}`);
    c.destroy();
    s.close();
  });
  s.listen(0, () => {
    const { address, family } = s.address();
    t.log('S', `${address} ${family}`);
    net.connect(s.address().port, LOCAL).resume().on('error', () => {});
  });
}

export function a_shared_port(t) {
  const first = server(t);
  first.listen({ port: 0, host: LOCAL, reusePort: true }, () => {
    const second = net.createServer();
    second.listen({ port: first.address().port, host: LOCAL, reusePort: true }, () => {
      t.log('S', 'both');
      first.close();
      second.close();
    });
  });
}

export function a_bound_socket_listens(t) {
  const bound = new net.BoundSocket({ host: LOCAL });
  const { address, port } = bound.address();
  t.log('S', `${address} ${port > 0} ${bound.isPipe}`);
  const s = server(t);
  s.listen(bound, t.cb('S', 'listen'));
  listening(t, s);
  for (const use of [() => bound.address(), () => bound.fd(), () => bound.close()]) {
    try {
      use();
    } catch (error) {
      t.log('S', error.code);
    }
  }
  s.on('listening', () => {
    t.log('S', `same port ${s.address().port === port}`);
    s.close();
  });
}

export function two_bound_sockets_conflict_when_they_listen(t) {
  const first = new net.BoundSocket({ host: LOCAL });
  const second = new net.BoundSocket({ host: LOCAL, port: first.address().port });
  const s = net.createServer().listen(first);
  server(t).listen(second).on('error', () => s.close());
}

export function what_a_bound_socket_refuses(t) {
  const tries = [
    { host: 'localhost' }, { path: '/tmp/x', port: 1 }, { host: '192.0.2.1' },
    { host: '192.0.2.1', port: 45679 },
  ];
  for (const options of tries) {
    try {
      new net.BoundSocket(options);
    } catch (error) {
      t.log('S', `${error.code} ${error.syscall ?? ''}`);
    }
  }
}
