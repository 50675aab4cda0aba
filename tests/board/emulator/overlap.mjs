// Watches whether a function of the firmware begins within another, as it may from an interrupt or a callback.
export class Overlap {
  entered = 0; // times that the program came into `outer`
  overlapped = 0; // times that `inner` began before it was back

  // To have what is due later begin there every time, and not once in a thousand, the board's clock leaps by so many
  // milliseconds whenever the program comes into `outer`.
  constructor(outer, inner, leap) {
    this.outer = outer;
    this.inner = inner;
    this.leap = leap * 1e6;
    this.back = null; // where it will be back
  }

  // Look at the instruction that the core is about to execute.
  step(core, clock) {
    const at = core.PC;
    if (at === this.outer) {
      this.entered++;
      this.back = core.LR & ~1; // which has the Thumb state in its lowest bit
      clock.tick(this.leap);
    } else if (at === this.back) {
      this.back = null;
    } else if (at === this.inner && this.back !== null) {
      this.overlapped++;
    }
  }
}
