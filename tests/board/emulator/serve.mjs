// The board for other programs: its USB serial and its UART0 on two TCP ports of the loopback interface, at the pace of the
// machine's clock or as near as it gets.    node serve.mjs FIRMWARE.bin
// Prints `{"usb": PORT, "uart": PORT}` once it listens, and ends when its standard input does, so that it is never left behind.
import fs from 'node:fs';
import net from 'node:net';

import { Pico } from './pico.mjs';

const SLICE = 2_000_000; // simulated nanoseconds between two looks at the sockets
const pico = new Pico(fs.readFileSync(process.argv[2]));

function listen(stream) {
  let socket = null;
  stream.onData = (data) => socket?.write(Buffer.from(data));
  const server = net.createServer((newest) => {
    socket?.destroy();
    socket = newest.setNoDelay(true);
    socket.on('data', (data) => stream.send(data));
    socket.on('error', () => {});
    socket.on('close', () => { if (socket === newest) socket = null; });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

// A board that has nothing to do would let its clock run ahead of everybody else's: deadlines would pass in no time.
function run() {
  const before = performance.now();
  pico.run(SLICE);
  const ahead = SLICE / 1e6 - (performance.now() - before);
  if (ahead > 0) setTimeout(run, ahead);
  else setImmediate(run);
}

process.stdin.on('end', () => process.exit(0)).resume();
console.log(JSON.stringify({ usb: await listen(pico.usb), uart: await listen(pico.uart) }));
run();
