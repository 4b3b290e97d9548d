// Preloaded (`node --import`) into every process of a chaos run: moves the wall clock of that process by the number of
// milliseconds in the file SYNAP_CHAOS_CLOCK, read again whenever it changes. Monotonic clocks stay as they are, as when
// an administrator or NTP sets a machine's clock. Plain JavaScript, so that it loads before any TypeScript loader.
import { readFileSync, watchFile } from "node:fs";

const file = process.env.SYNAP_CHAOS_CLOCK;
if (file) {
  let offset = 0;
  const read = () => {
    try {
      offset = Number(readFileSync(file, "utf8")) || 0;
    } catch {
      offset = 0;
    }
  };
  read();
  watchFile(file, { interval: 100, persistent: false }, read);

  const RealDate = Date;
  class ShiftedDate extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + offset);
      else super(...args);
    }
    static now() {
      return RealDate.now() + offset;
    }
  }
  globalThis.Date = ShiftedDate;
}
