'use strict';
// What mqtt-packet makes of packets: `generate` prints some of every kind, `parse` reads lines of a version and bytes.
const mqtt = require('mqtt-packet');

const packets = (protocolVersion) => {
  const five = protocolVersion === 5;
  const properties = five ? { properties: { userProperties: { a: 'b', c: 'd' } } } : {};
  const list = [
    { cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId: 'a', keepalive: 60, clean: true, ...properties },
    { cmd: 'connect', protocolId: 'MQTT', protocolVersion, clientId: 'long'.repeat(50), username: 'u', password: 'p',
      keepalive: 0, clean: false, will: { topic: 't', payload: 'w', qos: 2, retain: true } },
    { cmd: 'connack', sessionPresent: false, returnCode: 0, reasonCode: 0, ...properties },
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 2, nl: false, rap: false, rh: 0 }] },
    { cmd: 'suback', messageId: 1, granted: [0, 1, 2] },
    { cmd: 'unsubscribe', messageId: 65535, unsubscriptions: ['a/+', 'b'] },
    { cmd: 'unsuback', messageId: 2, granted: [0] },
    { cmd: 'pingreq' },
    { cmd: 'pingresp' },
    { cmd: 'disconnect', ...(five ? { reasonCode: 4 } : {}) },
  ];
  if (five) list.push({ cmd: 'auth', reasonCode: 24, properties: { authenticationMethod: 'm' } });
  for (const [cmd, reasonCode] of [['puback', 16], ['pubrec', 16], ['pubrel', 146], ['pubcomp', 146]]) {
    list.push({ cmd, messageId: 7, ...(five ? { reasonCode } : {}) });
  }
  for (const qos of [0, 1, 2]) {
    for (const length of [0, 1, 120, 130, 16377, 16390, 2097140, 2097160]) {
      const dup = qos > 0 && length % 2 === 0;
      list.push({ cmd: 'publish', topic: 'a/b', payload: Buffer.alloc(length, 'x'), qos, dup, retain: length === 1,
        ...(qos ? { messageId: 3 } : {}), ...properties });
    }
  }
  return list.map((packet) => mqtt.generate(packet, { protocolVersion }));
};

if (process.argv[2] === 'generate') {
  for (const version of [4, 5]) {
    for (const packet of packets(version)) console.log(`${version} ${packet.toString('hex')}`);
  }
} else {
  const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean);
  for (const line of lines) {
    const [version, hex] = line.split(' ');
    const parser = mqtt.parser({ protocolVersion: Number(version) });
    const seen = [];
    parser.on('packet', (packet) => seen.push(`${packet.cmd} ${packet.length}`));
    parser.on('error', (error) => seen.push(`error ${error.message}`));
    try {
      parser.parse(Buffer.from(hex, 'hex'));
    } catch (error) {
      seen.push(`error ${error.message}`);
    }
    console.log(seen.join(', '));
  }
}
