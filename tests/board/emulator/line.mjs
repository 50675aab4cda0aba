// A UART's line, at the pace of its baud rate in both directions, with the interrupts that MicroPython goes by: there is room for
// more to send, the receiver fills up, or nothing has come for a while. rp2040js sends at once, so that no buffer is ever full, and
// interrupts for each byte that it receives.
import { every } from './every.mjs';

const SIZE = 32; // bytes that wait in the chip, in each direction
const BITS = 10; // of a character: start, eight, stop
const PERIOD = 200_000; // nanoseconds between two looks at what is to be received
const RECEIVED = 1 << 4, TRANSMIT = 1 << 5, TIMEOUT = 1 << 6; // interrupts
const LEVEL = 24, ROOM = 16; // bytes received, or left to send, at which there is one
const IDLE = 32; // bits without another byte, after which what has come is told anyway
const FULL = 1 << 5, EMPTY = 1 << 7; // flags of the transmitter

export class Line {
  sent = 0; // bytes
  #leaving = [];
  #quiet = 0; // nanoseconds since the last byte that was received
  #credit = 0; // bytes that the line has had the time for

  constructor(uart, clock, stream) {
    this.uart = uart;
    this.stream = stream;
    this.#mend();
    this.leave = clock.createAlarm(() => this.#left());
    uart.onByte = (byte) => this.#send(byte);
    every(PERIOD, clock, () => this.#receive());
  }

  #mend() {
    const { uart } = this;
    uart.checkInterrupts = function () {
      this.rp2040.setInterrupt(this.irq, Boolean(this.interruptStatus & this.interruptMask));
    };
    const flags = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(uart), 'flags').get;
    Object.defineProperty(uart, 'flags', { get: () => (flags.call(uart) & ~EMPTY) | this.#flags() });
    const read = uart.readUint32.bind(uart);
    uart.readUint32 = (offset) => (offset === 0 ? this.#taken() : read(offset));
  }

  #flags() {
    return (this.#leaving.length ? 0 : EMPTY) | (this.#leaving.length < SIZE ? 0 : FULL);
  }

  #interrupt(on, off) {
    this.uart.interruptStatus = (this.uart.interruptStatus | on) & ~off;
    this.uart.checkInterrupts();
  }

  get #time() { // nanoseconds that a byte takes
    return (BITS * 1e9) / this.uart.baudRate;
  }

  #send(byte) {
    if (this.#leaving.push(byte) === 1) this.leave.schedule(this.#time);
  }

  #left() {
    this.sent++;
    this.stream.onData([this.#leaving.shift()]);
    if (this.#leaving.length) this.leave.schedule(this.#time);
    if (this.#leaving.length === ROOM || !this.#leaving.length) this.#interrupt(TRANSMIT, 0);
  }

  #receive() {
    const { uart, stream } = this;
    if (!uart.enabled) stream.clear(); // nobody listens
    this.#quiet += PERIOD;
    this.#credit = Math.min(this.#credit + PERIOD / this.#time, SIZE);
    for (; this.#credit >= 1 && stream.waiting.length && !uart.rxFIFO.full; this.#credit--) {
      uart.rxFIFO.push(stream.next());
      this.#quiet = 0;
      if (uart.rxFIFO.itemCount === LEVEL) this.#interrupt(RECEIVED, 0);
    }
    if (!uart.rxFIFO.empty && this.#quiet * uart.baudRate >= IDLE * 1e9) this.#interrupt(TIMEOUT, 0);
  }

  // The program takes a byte.
  #taken() {
    const { rxFIFO } = this.uart;
    const byte = rxFIFO.pull();
    this.#interrupt(0, (rxFIFO.itemCount < LEVEL ? RECEIVED : 0) | (rxFIFO.empty ? TIMEOUT : 0));
    return byte;
  }
}
