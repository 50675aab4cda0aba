// Act again and again by the board's clock, once in so many simulated nanoseconds.
export function every(nanos, clock, act) {
  const alarm = clock.createAlarm(() => {
    act();
    alarm.schedule(nanos);
  });
  alarm.schedule(nanos);
}
