const net = require('net');
const port = Number(process.argv[2] ?? 3000);

// Conecta ao servidor
const client = net.createConnection({ port }, () => {
  console.log('Conectado ao servidor!');
  client.write('Olá, servidor!');
});

// Recebe dados do servidor
client.on('data', (data) => {
  console.log(`Recebido do servidor: ${data}`);
  client.end();
});

// Detecta quando a conexão é encerrada
client.on('end', () => {
  console.log('Desconectado do servidor.');
});
