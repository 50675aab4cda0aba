// The pace of a UART's transmitter: it takes 32 bytes, sends one after the other as fast as its baud rate allows, and interrupts
// when half of them have left. rp2040js sends at once, which leaves the program no buffer that is ever full.
const SIZE = 32, BITS = 10; // of a character: start, eight, stop
const FULL = 1 << 5, EMPTY = 1 << 7; // flags of the UART

export class Line {
  #waiting = [];
  sent = 0; // bytes

  // `onEmpty` is told when there is room for more.
  constructor(uart, clock, onData, onEmpty) {
    this.paced = false;
    const flags = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(uart), 'flags').get;
    Object.defineProperty(uart, 'flags', { get: () => (flags.call(uart) & ~EMPTY) | this.#flags() });
    const alarm = clock.createAlarm(() => {
      this.#send(onData, this.#waiting.shift());
      if (this.#waiting.length) alarm.schedule((BITS * 1e9) / uart.baudRate);
      if (this.#waiting.length <= SIZE / 2) onEmpty();
    });
    uart.onByte = (byte) => {
      if (!this.paced) {
        this.#send(onData, byte);
        onEmpty();
      } else if (this.#waiting.push(byte) === 1) {
        alarm.schedule((BITS * 1e9) / uart.baudRate);
      }
    };
  }

  #flags() {
    return (this.#waiting.length ? 0 : EMPTY) | (this.#waiting.length < SIZE ? 0 : FULL);
  }

  #send(onData, byte) {
    this.sent++;
    onData([byte]);
  }
}
