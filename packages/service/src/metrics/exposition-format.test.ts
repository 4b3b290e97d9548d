import { describe, expect, it } from "vitest";
import { writeMetrics } from "./exposition-format.ts";

describe("the exposition format", () => {
  it("writes the help and type of each metric, then its samples", () => {
    const samples = [
      { labels: { room: "1" }, value: 20.5 },
      { labels: { room: "2", floor: "0" }, value: 0 },
    ];
    expect(
      writeMetrics([
        { name: "warmth_celsius", help: "How warm.", samples },
        { name: "people", help: "How many.", samples: [{ value: 3 }] },
      ]),
    ).toBe(
      [
        "# HELP warmth_celsius How warm.",
        "# TYPE warmth_celsius gauge",
        'warmth_celsius{room="1"} 20.5',
        'warmth_celsius{room="2",floor="0"} 0',
        "# HELP people How many.",
        "# TYPE people gauge",
        "people 3",
        "",
      ].join("\n"),
    );
  });

  it("escapes backslashes, line feeds and, in labels, quotes", () => {
    const text = 'a\\b\n"c"\\n';
    expect(writeMetrics([{ name: "m", help: text, samples: [{ labels: { l: text }, value: 1 }] }])).toBe(
      '# HELP m a\\\\b\\n"c"\\\\n\n# TYPE m gauge\nm{l="a\\\\b\\n\\"c\\"\\\\n"} 1\n',
    );
  });

  it("writes NaN and the infinite numbers", () => {
    const samples = [Infinity, -Infinity, NaN, -0.25, 1e21].map((value) => ({ value }));
    const values = writeMetrics([{ name: "m", help: "h", samples }]).matchAll(/^m (.*)$/gm);
    expect([...values].map(([, value]) => value)).toEqual(["+Inf", "-Inf", "NaN", "-0.25", "1e+21"]);
  });

  it("leaves out a metric without samples", () => {
    expect(writeMetrics([{ name: "m", help: "h", samples: [] }])).toBe("");
  });
});
