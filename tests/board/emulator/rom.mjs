// A boot ROM for the emulated RP2040, which ships with none: the tables and routines that the data sheet lists (2.8), done
// in JavaScript. Every routine is two instructions, `bkpt #n; bx lr`; the breakpoint runs function n on the core's registers.
// Erasing and programming act on the emulated flash, so that the board has a real filesystem. The double-precision table is
// left out, as MicroPython does not call it, and for the USB boot loader the board stops. A routine tells how many cycles it
// would take; these are estimates (the data sheet gives them for floats only), the same on every run.

const STACK = 0x20041f00;
const ENTRY = 0x10000000; // where flash, and in it the second stage, begins
const ROUTINES = 0x200;
const FUNCTIONS = 0x80, DATA = 0xe0, FLOATS = 0x700;
const MAGIC = 0x0201754d; // 'M', 'u', 1 and version 2

const BYTES = 1, ARITHMETIC = 70, TRANSCENDENTAL = 600;

// The firmware asked for the USB boot loader, which this ROM does not have.
export class BootLoader extends Error {}

const words = { float: new Float32Array(1), double: new Float64Array(1) };
const floatBits = new Uint32Array(words.float.buffer);
const doubleBits = new BigUint64Array(words.double.buffer);

function toFloat(bits) {
  floatBits[0] = bits;
  return words.float[0];
}

function fromFloat(value) {
  words.float[0] = value;
  return floatBits[0];
}

function clamped(value, least, most) {
  return Number.isNaN(value) ? 0 : Math.max(least, Math.min(most, value));
}

const toInt = (value) => clamped(Math.floor(value), -0x80000000, 0x7fffffff);
const toUnsigned = (value) => clamped(Math.floor(value), 0, 0xffffffff);
const leadingZeros = (value) => Math.clz32(value >>> 0);
const compared = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

export class Rom {
  constructor(mcu, flash) {
    this.mcu = mcu;
    this.flash = flash;
    this.registers = mcu.core.registers;
    this.view = new DataView(mcu.bootrom.buffer);
    this.routines = [];
    this.cycles = 0; // owed for routines since they were last asked for
    this.#lay();
    mcu.onBreak = (n) => this.#call(n);
  }

  takeCycles() {
    const { cycles } = this;
    this.cycles = 0;
    return cycles;
  }

  #call(n) {
    const routine = this.routines[n];
    if (!routine) throw new Error(`the firmware stopped at breakpoint ${n}`);
    this.cycles += routine() ?? 1;
  }

  #routine(act) {
    const n = this.routines.push(act) - 1;
    const address = ROUTINES + 4 * n;
    this.view.setUint16(address, 0xbe00 | n, true);
    this.view.setUint16(address + 2, 0x4770, true);
    return address | 1; // in Thumb state
  }

  #table(address, entries) {
    for (const [code, value] of [...entries, ['\0\0', 0]]) {
      this.view.setUint16(address, code.charCodeAt(0) | (code.charCodeAt(1) << 8), true);
      this.view.setUint16(address + 2, value, true);
      address += 4;
    }
  }

  #lay() {
    this.view.setUint32(0, STACK, true);
    this.view.setUint32(4, this.#routine(() => {}), true);
    this.view.setUint32(0x10, MAGIC, true);
    this.view.setUint16(0x14, FUNCTIONS, true);
    this.view.setUint16(0x16, DATA, true);
    this.view.setUint16(0x18, this.#routine(() => this.#lookUp()), true);
    this.#table(FUNCTIONS, this.#functions());
    this.#table(DATA, [['SF', FLOATS]]);
    const floats = this.#floats();
    this.view.setUint8(FLOATS - 2, floats.length);
    floats.forEach((address, n) => this.view.setUint32(FLOATS + 4 * n, address, true));
  }

  #lookUp() {
    const [table, code] = this.registers;
    for (let at = table >>> 0; ; at += 4) {
      const found = this.mcu.readUint16(at);
      if (found === 0 || found === (code & 0xffff)) {
        this.#give(found ? this.mcu.readUint16(at + 2) : 0);
        return 20;
      }
    }
  }

  #give(value) {
    this.registers[0] = value >>> 0;
  }

  #functions() {
    const bits = (act) => this.#routine(() => (this.#give(act(this.registers[0] >>> 0)), 20));
    const copy = this.#routine(() => this.#copy());
    const fill = this.#routine(() => this.#fill());
    const nothing = this.#routine(() => {});
    return [
      ['P3', bits((v) => { let n = 0; for (; v; v = (v & (v - 1)) >>> 0) n++; return n; })],
      ['R3', bits((v) => { let r = 0; for (let i = 0; i < 32; i++) r = r * 2 + ((v >>> i) & 1); return r; })],
      ['L3', bits(leadingZeros)],
      ['T3', bits((v) => (v ? 31 - leadingZeros(v & -v) : 32))],
      ['MC', copy], ['C4', copy], ['MS', fill], ['S4', fill],
      // Leaving and entering the mode in which flash is read as memory means nothing here.
      ['IF', nothing], ['EX', nothing], ['FC', nothing], ['CX', nothing],
      ['RE', this.#routine(() => this.#erase())],
      ['RP', this.#routine(() => this.#program())],
      ['UB', this.#routine(() => { throw new BootLoader(); })],
    ];
  }

  #copy() {
    const [target, from, length] = this.registers.map((value) => value >>> 0);
    for (let i = 0; i < length; i++) this.mcu.writeUint8((target + i) >>> 0, this.mcu.readUint8((from + i) >>> 0));
    return 30 + length * BYTES;
  }

  #fill() {
    const [target, value, length] = this.registers.map((value) => value >>> 0);
    for (let i = 0; i < length; i++) this.mcu.writeUint8((target + i) >>> 0, value & 0xff);
    return 30 + length * BYTES;
  }

  #erase() {
    const [offset, length] = this.registers.map((value) => value >>> 0);
    this.flash.erase(offset, length);
    return 100 * length; // some 45 ms for a sector of 4 KiB is usual; a tenth is enough for the tests
  }

  #program() {
    const [offset, source, length] = this.registers.map((value) => value >>> 0);
    this.flash.program(offset, Uint8Array.from({ length }, (_, i) => this.mcu.readUint8((source + i) >>> 0)));
    return 100 * length;
  }

  // In the order of the data sheet's table of single-precision routines (2.8.3.2.1).
  #floats() {
    const r = this.registers;
    const give = (act, cycles = ARITHMETIC) => this.#routine(() => (this.#give(act()), cycles));
    const two = (act, cycles) => give(() => fromFloat(act(toFloat(r[0]), toFloat(r[1]))), cycles);
    const one = (act, cycles) => give(() => fromFloat(act(toFloat(r[0]))), cycles);
    const scaled = () => toFloat(r[0]) * 2 ** r[1];
    const signed64 = () => Number(BigInt.asIntN(64, this.#pair()));
    const unsigned64 = () => Number(this.#pair());
    const wide = (act) => this.#routine(() => (this.#givePair(act()), ARITHMETIC));
    const integer = (value) => BigInt(Number.isFinite(value) ? Math.floor(value) : 0);
    const unlisted = this.#routine(() => {});
    return [
      two((a, b) => a + b), two((a, b) => a - b), two((a, b) => a * b), two((a, b) => a / b),
      give(() => compared(toFloat(r[0]), toFloat(r[1]))),
      this.#routine(() => this.#setFlags(toFloat(r[0]), toFloat(r[1]))),
      one(Math.sqrt),
      give(() => toInt(toFloat(r[0]))), give(() => toInt(scaled())),
      give(() => toUnsigned(toFloat(r[0]))), give(() => toUnsigned(scaled())),
      give(() => fromFloat(r[0] | 0)), give(() => fromFloat((r[0] | 0) / 2 ** r[1])),
      give(() => fromFloat(r[0] >>> 0)), give(() => fromFloat((r[0] >>> 0) / 2 ** r[1])),
      one(Math.cos, TRANSCENDENTAL), one(Math.sin, TRANSCENDENTAL), one(Math.tan, TRANSCENDENTAL), unlisted,
      one(Math.exp, TRANSCENDENTAL), one(Math.log, TRANSCENDENTAL),
      give(() => compared(toFloat(r[0]), toFloat(r[1]))), two(Math.atan2, TRANSCENDENTAL),
      give(() => fromFloat(signed64())), give(() => fromFloat(signed64() / 2 ** r[2])),
      give(() => fromFloat(unsigned64())), give(() => fromFloat(unsigned64() / 2 ** r[2])),
      wide(() => integer(toFloat(r[0]))), wide(() => integer(scaled())),
      wide(() => integer(toFloat(r[0]))), wide(() => integer(scaled())),
      wide(() => ((words.double[0] = toFloat(r[0])), doubleBits[0])),
    ];
  }

  #setFlags(a, b) {
    Object.assign(this.mcu.core, { Z: a === b, N: a < b, C: a >= b, V: false });
    return ARITHMETIC;
  }

  #pair() {
    return (BigInt(this.registers[1] >>> 0) << 32n) | BigInt(this.registers[0] >>> 0);
  }

  #givePair(value) {
    const bits = BigInt.asUintN(64, value);
    this.registers[0] = Number(bits & 0xffffffffn);
    this.registers[1] = Number(bits >> 32n);
  }
}

export { ENTRY };
