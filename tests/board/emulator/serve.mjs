// The board for other programs: its USB serial and its UART0 on two TCP ports of the loopback interface, at the pace of the
// machine's clock or as near as it gets.    node serve.mjs FLASH [N]
// FLASH is the file that its flash chip is kept in. Once the board listens, and then for each line on standard input, this
// prints a line of JSON that tells its state. The lines: `state`; `cut N`: the power fails in the operation on the flash
// that follows N more, which the argument counts from the beginning; `watch OUTER INNER LEAP`: count from now on how often the
// function at the one address is entered, when the board's clock leaps by so many milliseconds, and how often the one at the
// other begins within it. Without power, and in the boot loader, nothing listens. It ends when its standard input does, so that
// it is never left behind.
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';

import { Flash, PowerCut } from './flash.mjs';
import { Overlap } from './overlap.mjs';
import { Pico } from './pico.mjs';
import { BootLoader } from './rom.mjs';

const SLICE = 2_000_000; // simulated nanoseconds between two looks at the sockets
const file = fs.openSync(process.argv[2], 'r+');
const flash = new Flash(fs.readFileSync(file), (offset, bytes) => fs.writeSync(file, bytes, 0, bytes.length, offset));
if (process.argv[3]) flash.cutAfter = Number(process.argv[3]);
const pico = new Pico(flash, randomInt(1, 2 ** 31));
let power = 'on';

// One client at a time, as with a cable; the newest has it.
class Port {
  #socket = null;

  constructor(stream) {
    stream.onData = (data) => this.#socket?.write(Buffer.from(data));
    this.server = net.createServer((newest) => {
      this.unplug();
      this.#socket = newest.setNoDelay(true);
      newest.on('data', (data) => stream.send(data));
      newest.on('error', () => {});
      newest.on('close', () => { if (this.#socket === newest) this.#socket = null; });
    });
  }

  listening() {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(this.server.address().port)));
  }

  unplug() {
    this.#socket?.destroy();
  }
}

const usb = new Port(pico.usb), uart = new Port(pico.uart);
pico.onReset = () => usb.unplug(); // its host loses the device until it comes back; a UART has no way to tell

function stop(why) {
  power = why instanceof PowerCut ? 'cut' : 'boot loader';
  for (const port of [usb, uart]) {
    port.unplug();
    port.server.close();
  }
}

// A board that has nothing to do would let its clock run ahead of everybody else's: deadlines would pass in no time.
function run() {
  const before = performance.now();
  try {
    pico.run(SLICE);
  } catch (event) {
    if (!(event instanceof PowerCut || event instanceof BootLoader)) throw event;
    return stop(event);
  }
  const ahead = SLICE / 1e6 - (performance.now() - before);
  if (ahead > 0) setTimeout(run, ahead);
  else setImmediate(run);
}

const ports = { usb: await usb.listening(), uart: await uart.listening() };
const tell = () => {
  const { clock, resets, probe, line } = pico;
  const { entered = 0, overlapped = 0 } = probe ?? {};
  const { operations } = flash;
  console.log(JSON.stringify({ ...ports, power, operations, resets, seconds: clock.nanos / 1e9, entered, overlapped, sent: line.sent }));
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [verb, ...numbers] = line.split(' ');
  if (verb === 'cut') flash.cutAfter = flash.operations + Number(numbers[0]);
  if (verb === 'watch') pico.probe = new Overlap(...numbers.map(Number));
  tell();
}).on('close', () => process.exit(0));
tell();
run();
