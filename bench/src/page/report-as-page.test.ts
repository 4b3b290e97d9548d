import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkElements } from "../../test/check-elements.ts";
import {
  exampleFigure,
  examplePlot,
  exampleReport,
  exampleSection,
  reportOf,
} from "../../test/example-report.ts";
import type { Plot } from "../benchmark.ts";
import { compareReports } from "../report/compare-reports.ts";
import { reportAsMarkdown } from "../report/report-as-markdown.ts";
import { reportAsPage } from "./report-as-page.ts";

const VOID = new Set(["meta", "circle", "rect", "line", "path"]);

const bars: Plot = {
  title: "Throughput",
  kind: "bars",
  xLabel: "streams",
  yLabel: "events/s",
  series: [
    {
      name: "Synap",
      points: [
        { x: 1, y: 21_700 },
        { x: "many", y: 0 },
      ],
    },
    { name: "ceiling", points: [{ x: 1, y: 25_000 }] },
  ],
};

describe("the report as a page", () => {
  const page = (report = exampleReport(), baseline = report) =>
    reportAsPage(report, compareReports(report, baseline));

  it("needs nothing beside it", () => {
    const source = page(exampleReport({ benchmarks: [exampleSection({ plots: [examplePlot, bars] })] }));
    expect(source).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|(?:src|href)="(?!#)/);
    expect(source).toMatch(/^<!doctype html>/);
    checkElements(source.replace("<!doctype html>", ""), VOID);
  });

  it("shows every figure with value, target, verdict, samples, change and note", () => {
    const figure = exampleFigure({
      name: "appends",
      value: 0.7,
      samples: [0.6, 0.7, 0.8],
      target: { comparison: "at least", bound: 0.8 },
      engine: "server",
      note: "a busy machine",
    });
    const source = page(reportOf([figure]), reportOf([{ ...figure, value: 1.4 }]));
    for (const text of [
      "appends",
      "0.7×",
      "at least 0.8×",
      "MISSED",
      "0.6 to 0.8×",
      "3 samples",
      "a busy machine",
    ]) {
      expect(source).toContain(text);
    }
    expect(source).toContain("2× WORSE");
    expect(source).toContain('<a href="#example">appends (server)</a>');
    expect(source.match(/id="example"/g)).toHaveLength(1);
  });

  it("says what failed, what was skipped, and that a run was interrupted", () => {
    const source = page(
      exampleReport({
        benchmarks: [
          exampleSection({ name: "one", status: "failed", figures: [], error: "Error: no <table>" }),
          exampleSection({ name: "two", status: "interrupted", figures: [], skipped: ["compression: none"] }),
        ],
      }),
    );
    expect(source).toContain("Error: no &lt;table&gt;");
    expect(source).toContain("Not measured: compression: none");
    expect(source).toContain("This run was interrupted.");
  });

  it("gives each plot a title for those who can't see it, and each series its legend", () => {
    const source = page(exampleReport({ benchmarks: [exampleSection({ plots: [bars] })] }));
    expect(source).toMatch(/<svg class="plot"[^>]* role="img"><title>Throughput<\/title>/);
    expect(source).toMatch(/<li class="series-1">.*ceiling<\/li>/);
    expect(source).toContain("<title>1, Synap: 21,700</title>");
  });

  it("stays whole whatever the figures and plots are called and hold", () => {
    const text = fc.string({ minLength: 1, unit: "grapheme" });
    const number = fc.double({ min: 0, max: 1e12, noNaN: true });
    const axis = fc.constantFrom("linear" as const, "log" as const);
    const plot = fc.record({
      title: text,
      kind: fc.constantFrom("bars" as const, "lines" as const),
      xLabel: text,
      yLabel: text,
      xScale: axis,
      yScale: axis,
      series: fc.array(
        fc.record({ name: text, points: fc.array(fc.record({ x: fc.oneof(number, text), y: number })) }),
      ),
    });
    fc.assert(
      fc.property(text, number, fc.array(plot, { maxLength: 2 }), (name, value, plots) => {
        const figures = [exampleFigure({ name, note: name, value })];
        const source = page(exampleReport({ benchmarks: [exampleSection({ title: name, figures, plots })] }));
        checkElements(source.replace("<!doctype html>", ""), VOID);
        expect(source).not.toMatch(/NaN|Infinity|undefined/);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the report as Markdown", () => {
  it("holds a table for each benchmark, in which no text breaks the columns", () => {
    const figure = exampleFigure({ name: "a | b\nc", target: { comparison: "at least", bound: 200 } });
    const text = reportAsMarkdown(reportOf([figure]), undefined);
    expect(text).toContain("| a \\| b c |  | **100×** | at least 200× | MISSED |  |  |");
    expect(text).toContain("- targets: 0 met, 1 missed");
    expect(text).toContain("| processor | Example CPU, 2 cores |");
  });
});
