// Watches whether a function of the firmware that interrupts run begins within another, which the program is in. To have them
// meet every time, and not once in a thousand, the board's clock leaps whenever the program enters the other.
const LEAP = 100_000_000; // nanoseconds; lwIP's timers are due every 64 ms

export class Overlap {
  entered = 0; // times that the program came into `outer`
  overlapped = 0; // times that `inner` began before it was back

  constructor(outer, inner) {
    this.outer = outer;
    this.inner = inner;
    this.back = null; // where it will be back
  }

  // Look at the instruction that the core is about to execute.
  step(core, clock) {
    const at = core.PC;
    if (at === this.outer) {
      this.entered++;
      this.back = core.LR & ~1; // which has the Thumb state in its lowest bit
      clock.tick(LEAP);
    } else if (at === this.back) {
      this.back = null;
    } else if (at === this.inner && this.back !== null) {
      this.overlapped++;
    }
  }
}
