'use strict';
// Answers questions about addresses, one per line of standard input, with what this Node says.
//
// A line is the name of a question, a tab, and its text in hexadecimal (so that the text may hold
// anything); an answer is a line of text in hexadecimal. The first line of the output is the version.

const fs = require('fs');
const { BlockList, SocketAddress, isIP } = require('net');

const unhex = (hex) => Buffer.from(hex, 'hex').toString();
const hex = (text) => Buffer.from(text).toString('hex');

function attempt(body) {
  try {
    return String(body());
  } catch (error) {
    return `${error.code ?? error.name}: ${error.message}`;
  }
}

const family = (address) => (address.includes(':') ? 'ipv6' : 'ipv4');
const socketAddress = (address) => new SocketAddress({ address, family: family(address) });

const questions = {
  'is-ip': (text) => String(isIP(text)),

  'parse'(text) {
    const found = SocketAddress.parse(text);
    return found ? `${found.family} ${found.address} ${found.port}` : 'none';
  },

  'address': (text) => attempt(() => socketAddress(text).address),

  // A program of calls, one per line: the method, then its arguments, with spaces between them. An
  // argument is a number after `#`, JSON text after `$`, or else an address.
  'block-list'(program) {
    const list = new BlockList();
    const argument = (text) => {
      switch (text[0]) {
        case '#': return Number(text.slice(1));
        case '$': return JSON.parse(text.slice(1));
        default: return socketAddress(text);
      }
    };
    const answers = program.split('\n').map((call) => {
      const [method, ...rest] = call.split(' ');
      return attempt(() => list[method](...rest.map(argument)));
    });
    return [...answers, list.size, ...list.rules].join('\n');
  },
};

const lines = fs.readFileSync(0, 'latin1').split('\n').filter(Boolean);
const answers = lines.map((line) => {
  const [question, text] = line.split('\t');
  // An old Node that lacks what is asked for should still get to say its version.
  return hex(attempt(() => questions[question](unhex(text ?? ''))));
});
process.stdout.write([process.versions.node, ...answers, ''].join('\n'));
