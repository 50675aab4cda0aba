// A Raspberry Pi Pico in software: rp2040js with our boot ROM, a flash that keeps what is written, USB serial and UART0 as
// byte streams, and a clock that counts simulated cycles. Nothing here knows the time of the machine it runs on, so that what
// the board does is a function of its image and of when, on its clock, bytes reach it.
import { ConsoleLogger, LogLevel, Simulator, USBCDC } from 'rp2040js';

import { ENTRY, Rom } from './rom.mjs';

const TRANSMIT = 1 << 5, TIMEOUT = 1 << 6; // interrupts of the UART
const PERIOD = 200_000; // nanoseconds between two looks at what waits to be received
const UART_CHUNK = 16;

export class Pico {
  constructor(image) {
    ({ clock: this.clock, rp2040: this.mcu } = new Simulator());
    this.mcu.logger = new ConsoleLogger(LogLevel.Error, false);
    this.rom = new Rom(this.mcu); // before reset(): the core takes its stack pointer from it
    this.mcu.reset(); // wipes the flash: the image comes after it
    this.mcu.flash.set(image);
    this.mcu.core.PC = ENTRY;
    this.usb = this.#usb();
    this.uart = this.#uart();
  }

  // Run for that many simulated nanoseconds.
  run(nanos) {
    const { clock, mcu, rom } = this;
    const end = clock.nanos + nanos;
    while (clock.nanos < end) {
      if (mcu.core.waiting) {
        clock.tick(Math.min(clock.nanosToNextAlarm || end - clock.nanos, end - clock.nanos));
      } else {
        clock.tick(((mcu.core.executeInstruction() + rom.takeCycles()) * 1e9) / mcu.clkSys);
      }
    }
  }

  // The host answers a read only when it has something, as a real one does; rp2040js's would send an empty packet at once
  // and keep the board busy with asking again.
  #usb() {
    const { usbCtrl } = this.mcu;
    const cdc = new USBCDC(usbCtrl);
    const stream = new Stream();
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
    this.#every(offer);
    return stream;
  }

  #uart() {
    const uart = this.mcu.uart[0];
    mendInterrupts(uart);
    const stream = new Stream();
    uart.onByte = (byte) => stream.onData([byte]);
    this.#every(() => {
      if (!uart.enabled) stream.clear(); // nobody listens
      for (let n = 0; n < UART_CHUNK && stream.waiting.length && !uart.rxFIFO.full; n++) uart.feedByte(stream.next());
      if (!uart.rxFIFO.empty) {
        uart.interruptStatus |= TIMEOUT;
        uart.checkInterrupts();
      }
    });
    return stream;
  }

  #every(act) {
    const alarm = this.clock.createAlarm(() => {
      act();
      alarm.schedule(PERIOD);
    });
    alarm.schedule(PERIOD);
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

// rp2040js 1.4.1 never clears the interrupt for an empty transmitter, which would keep the board busy with nothing else, and
// has none for a pause in what is received (above), on which MicroPython waits.
function mendInterrupts(uart) {
  uart.checkInterrupts = function () {
    this.rp2040.setInterrupt(this.irq, Boolean(this.interruptStatus & this.interruptMask));
  };
  const write = uart.writeUint32.bind(uart);
  uart.writeUint32 = function (offset, value) {
    write(offset, value);
    if (offset === 0) {
      this.interruptStatus |= TRANSMIT;
      this.checkInterrupts();
    }
  };
}
