const net = require('net');
const port = Number(process.argv[2] ?? 3000);

// Cria um servidor TCP
const server = net.createServer((socket) => {
  console.log('Cliente conectado!');

  // Recebendo dados do cliente
  socket.on('data', (data) => {
    console.log(`Recebido: ${data}`);
    socket.write('Olá, cliente!');
  });

  // Detecta quando o cliente encerra a conexão
  socket.on('end', () => {
    console.log('Cliente desconectado.');
  });
});

// Servidor escuta na porta
server.listen(port, () => {
  console.log(`Servidor TCP escutando na porta ${port}...`);
});
