// The Pico's flash chip, 2 MiB: erases sectors to ones, programs pages by clearing bits, and can lose its power in the middle.
// It hands every change to `keep` as soon as it is made, so that what is kept is what the chip holds, whenever it stops.

const SIZE = 2 * 1024 * 1024;
const SECTOR = 4096, PAGE = 256;

export class PowerCut extends Error {}

export class Flash {
  constructor(content, keep = () => {}) {
    this.bytes = new Uint8Array(SIZE).fill(0xff);
    this.bytes.set(content);
    this.keep = keep;
    this.operations = 0; // sectors erased and pages programmed, as a whole, since power was switched on
    this.cutAfter = Infinity; // how many of them there will be
  }

  erase(offset, length) {
    for (let at = 0; at < length; at += SECTOR) this.#operate(offset + at, SECTOR, (range) => range.fill(0xff));
  }

  // As in the chip, programming only clears bits.
  program(offset, data) {
    for (let at = 0; at < data.length; at += PAGE) {
      const page = data.subarray(at, at + PAGE);
      this.#operate(offset + at, page.length, (range) => range.forEach((byte, n) => { range[n] = byte & page[n]; }));
    }
  }

  // The operation that the power fails in is half done: a chip leaves worse only within the sector or page that it is at, and
  // a filesystem has to take both for what was never written.
  #operate(offset, length, act) {
    const torn = this.operations >= this.cutAfter;
    const range = this.bytes.subarray(offset, offset + (torn ? length / 2 : length));
    act(range);
    this.keep(offset, range);
    if (torn) throw new PowerCut(`in operation ${this.operations + 1} on the flash`);
    this.operations++;
  }
}
