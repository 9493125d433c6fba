'use strict';
// A server by vscode-jsonrpc on its standard streams: `echo` is answered with what it was given, `say` with a
// notification of as many letters.
const rpc = require('vscode-jsonrpc/node');
const connection = rpc.createMessageConnection(
  new rpc.StreamMessageReader(process.stdin), new rpc.StreamMessageWriter(process.stdout));
connection.onRequest('echo', (value) => value);
connection.onNotification('say', (count) => connection.sendNotification('said', '\u00e9'.repeat(count)));
connection.onError(([error]) => process.stderr.write(`${error.message}\n`));
connection.onClose(() => process.exit(0));
connection.listen();
