import { describe, expect, it } from "vitest";
import { duration, percentile } from "./numbers.ts";
import { bar, ProgressLine } from "./progress-line.ts";

describe("a duration", () => {
  it("is formatted with suitable units", () => {
    const said = [0.04, 9.94, 85, 1_234, 59_900, 61_000, 3_600_000 + 125_000].map(duration);
    expect(said).toEqual(["0.0 ms", "9.9 ms", "85 ms", "1.2 s", "59.9 s", "1 min 01 s", "1 h 02 min"]);
  });
});

describe("a percentile", () => {
  it("is one of the values, by nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.95, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 95, 99, 100]);
    expect(percentile([7], 0.01)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe("a progress line", () => {
  const draw = (isTTY: boolean) => {
    const written: string[] = [];
    let now = 1;
    const target = { isTTY, columns: 40, write: (text: string) => written.push(text) };
    const line = new ProgressLine(target, () => now);
    line.show(0.5, "half");
    now += 50;
    line.show(0.6, "too soon");
    now += 2_000;
    line.show(1, "done");
    line.end();
    return written;
  };

  it("is redrawn in place on a terminal, never wider than it", () => {
    const written = draw(true);
    expect(written).toHaveLength(3);
    expect(written[0]).toBe(`\r\u001b[2K${bar(0.5, 24)}  50 % half`);
    expect(written[1]?.length).toBeLessThanOrEqual(40 + 5);
    expect(written[2]).toBe("\n");
  });

  it("is a plain line at intervals in a log", () => {
    expect(draw(false)).toEqual([" 50 % half\n", "100 % done\n"]);
  });
});
