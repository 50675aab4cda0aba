// A Raspberry Pi Pico in software: rp2040js with our boot ROM, a flash that keeps what is written, USB serial and UART0 as
// byte streams, a watchdog that resets it, and a clock that counts simulated cycles. Nothing here knows the time of the machine
// it runs on, so that what the board does is a function of its flash, its noise, and of when, on its clock, bytes reach it.
import { ConsoleLogger, LogLevel, Simulator, USBCDC } from 'rp2040js';

import { every } from './every.mjs';
import { Line } from './line.mjs';
import { ENTRY, Rom } from './rom.mjs';

const PERIOD = 200_000; // nanoseconds between two looks at what waits to be received
const WATCHDOG = 0x40058, OSCILLATOR = 0x40060; // of the emulator's peripherals
const RANDOM_BIT = 0x1c;

// Thrown out of the run of a chip that the watchdog resets: by its time being over, or by the firmware that wants a reset.
class Reset extends Error {}

export class Pico {
  // `seed` stands for the noise of the ring oscillator, from which the firmware makes its random numbers.
  constructor(flash, seed = 1) {
    this.flash = flash;
    this.noise = seed;
    this.usb = new Stream();
    this.uart = new Stream();
    this.onReset = () => {};
    this.probe = null; // what looks at each instruction ahead of it
    this.resets = 0;
    this.#powerOn();
  }

  // Run for that many simulated nanoseconds; a reset ends the time early. Throws PowerCut and BootLoader.
  run(nanos) {
    try {
      this.#execute(this.clock.nanos + nanos);
    } catch (event) {
      if (!(event instanceof Reset)) throw event;
      this.#restart();
    }
  }

  #execute(end) {
    const { clock, mcu, rom, probe } = this;
    while (clock.nanos < end) {
      if (mcu.core.waiting) {
        clock.tick(Math.min(clock.nanosToNextAlarm || end - clock.nanos, end - clock.nanos));
      } else {
        probe?.step(mcu.core, clock);
        clock.tick(((mcu.core.executeInstruction() + rom.takeCycles()) * 1e9) / mcu.clkSys);
      }
    }
  }

  #powerOn() {
    ({ clock: this.clock, rp2040: this.mcu } = new Simulator());
    const { mcu, flash } = this;
    mcu.logger = new ConsoleLogger(LogLevel.Error, false);
    this.rom = new Rom(mcu, flash); // before reset(): the core takes its stack pointer from it
    mcu.reset(); // wipes what is its flash
    mcu.flash = flash.bytes;
    mcu.flash16 = new Uint16Array(flash.bytes.buffer);
    mcu.flashView = new DataView(flash.bytes.buffer);
    mcu.core.PC = ENTRY;
    mcu.peripherals[WATCHDOG].onWatchdogTrigger = () => { throw new Reset(); };
    this.#connectNoise();
    this.#connectUsb();
    this.#connectUart();
  }

  // A new chip, but for what a reset by the watchdog leaves: RAM, and the watchdog's own notes. Its clock begins anew.
  #restart() {
    const { sram, peripherals: { [WATCHDOG]: { reason, scratchData } } } = this.mcu;
    this.usb.clear();
    this.#powerOn();
    this.mcu.sram.set(sram);
    Object.assign(this.mcu.peripherals[WATCHDOG], { reason, scratchData });
    this.resets++;
    this.onReset();
  }

  // The random bit of the ring oscillator, which rp2040js leaves out: of a xorshift generator.
  #connectNoise() {
    const oscillator = this.mcu.peripherals[OSCILLATOR];
    const read = oscillator.readUint32.bind(oscillator);
    oscillator.readUint32 = (offset) => {
      if (offset !== RANDOM_BIT) return read(offset);
      for (const shift of [13, -17, 5]) this.noise ^= shift > 0 ? this.noise << shift : this.noise >>> -shift;
      return this.noise >>> 31;
    };
  }

  // The host answers a read only when it has something, as a real one does; rp2040js's would send an empty packet at once
  // and keep the board busy with asking again.
  #connectUsb() {
    const { usbCtrl } = this.mcu;
    const cdc = new USBCDC(usbCtrl);
    const stream = this.usb;
    let room = 0; // what the board waits for at most
    const offer = () => {
      if (!room || !stream.waiting.length) return;
      const packet = [];
      while (packet.length < room && stream.waiting.length) packet.push(stream.next());
      room = 0;
      usbCtrl.endpointReadDone(cdc.outEndpoint, Uint8Array.from(packet));
    };
    usbCtrl.onEndpointRead = (endpoint, size) => {
      if (endpoint === cdc.outEndpoint) room = size;
    };
    cdc.onSerialData = (data) => stream.onData(data);
    every(PERIOD, this.clock, offer);
  }

  #connectUart() {
    this.line = new Line(this.mcu.uart[0], this.clock, this.uart);
  }
}

class Stream {
  constructor() {
    this.waiting = []; // chunks for the board
    this.at = 0;
    this.onData = () => {};
  }

  send(data) {
    if (data.length) this.waiting.push(data);
  }

  clear() {
    this.waiting.length = this.at = 0;
  }

  next() {
    const byte = this.waiting[0][this.at++];
    if (this.at === this.waiting[0].length) {
      this.waiting.shift();
      this.at = 0;
    }
    return byte;
  }
}
