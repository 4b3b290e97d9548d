import { describe, expect, it } from "vitest";
import { checkElements } from "../../test/check-elements.ts";
import { examplePlot } from "../../test/example-report.ts";
import type { Plot } from "../benchmark.ts";
import { drawPlotFile } from "./draw-plot.ts";

describe.each(["lines", "bars"] as const)("the file of a plot of %s", (kind) => {
  const plot: Plot = {
    ...examplePlot,
    kind,
    title: "Rates <b> & durations",
    series: ["reading", "appending", "a very long name of a series", "another long name of a series"].map(
      (name, index) => ({ name, points: [1, 10, 100].map((x) => ({ x, y: x * (index + 1) })) }),
    ),
  };
  const file = drawPlotFile(plot);

  it("is one SVG document with its own style, and nothing from elsewhere", () => {
    expect(file).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(file).toContain("prefers-color-scheme: dark");
    expect(file).not.toMatch(/<script|<image|@import|url\(|href=/);
    checkElements(file);
  });

  it("names the plot and each series, escaped", () => {
    expect(file).toContain("Rates &lt;b&gt; &amp; durations");
    for (const { name } of plot.series) expect(file).toContain(`>${name}</text>`);
  });

  it("is large enough for all of its lines", () => {
    const [, height = "0"] = /^<svg [^>]*height="(\d+)"/.exec(file) ?? [];
    const offsets = [...file.matchAll(/translate\(\S+ (\S+)\)/g)].map(([, y]) => Number(y));
    for (const y of offsets) expect(y).toBeLessThan(Number(height));
  });
});
