// Run a program on the board from its raw REPL, without a clock or a socket of this machine: the same image and program
// give the same cycles on every run and on every machine.    node measure.mjs FIRMWARE.bin PROGRAM.py SECONDS
// Prints what the program printed; fails when it raises an exception or takes more than that many simulated seconds.
import fs from 'node:fs';

import { Flash } from './flash.mjs';
import { Pico } from './pico.mjs';

const SLICE = 1_000_000;
const [, , image, program, seconds] = process.argv;
const pico = new Pico(new Flash(fs.readFileSync(image)));
let output = '';
pico.usb.onData = (data) => { output += Buffer.from(data).toString('latin1'); };

// Give what the board says up to and with `ending`.
function until(ending) {
  for (;;) {
    const at = output.indexOf(ending);
    if (at >= 0) {
      const said = output.slice(0, at);
      output = output.slice(at + ending.length);
      return said;
    }
    if (pico.clock.nanos > seconds * 1e9) throw new Error(`nothing after ${seconds} s but ${JSON.stringify(output)}`);
    pico.run(SLICE);
  }
}

pico.usb.send(Buffer.from('\x01')); // taken when the board has come up
until('raw REPL; CTRL-B to exit\r\n>');
pico.usb.send(Buffer.concat([fs.readFileSync(program), Buffer.from('\x04')]));
until('OK');
process.stdout.write(Buffer.from(until('\x04'), 'latin1'));
const complaint = until('\x04');
process.stderr.write(complaint);
process.exit(complaint ? 1 : 0);
