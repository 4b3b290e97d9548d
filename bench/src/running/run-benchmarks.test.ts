import { describe, expect, it } from "vitest";
import { exampleFigure, examplePlot } from "../../test/example-report.ts";
import type { Benchmark, BenchmarkResult } from "../benchmark.ts";
import type { Section } from "../report/report.ts";
import { runBenchmarks } from "./run-benchmarks.ts";

function benchmark(name: string, run: Benchmark["run"]): Benchmark {
  return { name, title: `The ${name}`, run };
}

const finding = (id: string): BenchmarkResult => ({ figures: [exampleFigure({ id })] });

function contextOf(signal = new AbortController().signal) {
  const ended: Section[] = [];
  const reported: [string, number][] = [];
  return {
    ended,
    reported,
    options: {
      mode: "quick",
      serverUrl: undefined,
      inngestUrl: undefined,
      signal,
      onProgress: (text: string, share: number) => reported.push([text, share]),
      onEnd: (section: Section) => ended.push(section),
    } as const,
  };
}

describe("a run of benchmarks", () => {
  it("runs them in order and reports when each has ended", async () => {
    const { options, ended } = contextOf();
    const sections = await runBenchmarks(
      [
        benchmark("first", async () => ({ ...finding("a"), plots: [examplePlot], skipped: ["the weather"] })),
        benchmark("second", async () => finding("b")),
      ],
      options,
    );
    expect(ended).toEqual(sections);
    expect(sections).toMatchObject([
      {
        name: "first",
        title: "The first",
        status: "done",
        figures: [{ id: "a" }],
        plots: [{}],
        skipped: ["the weather"],
      },
      { name: "second", status: "done", figures: [{ id: "b" }], plots: [], skipped: [] },
    ]);
  });

  it("goes on after one that failed, and keeps the reason", async () => {
    const sections = await runBenchmarks(
      [
        benchmark("broken", () => Promise.reject(new Error("no such table"))),
        benchmark("sound", async () => finding("a")),
      ],
      contextOf().options,
    );
    expect(sections.map(({ status }) => status)).toEqual(["failed", "done"]);
    expect(sections[0]?.error).toContain("no such table");
  });

  it("takes a figure that is no number, or an id that was used before, for a failure", async () => {
    const sections = await runBenchmarks(
      [
        benchmark("nan", async () => ({ figures: [exampleFigure({ id: "x", value: Number.NaN })] })),
        benchmark("endless", async () => ({ figures: [exampleFigure({ id: "y", value: 1 / 0 })] })),
        benchmark("twice", async () => ({ figures: [exampleFigure(), exampleFigure()] })),
        benchmark("one", async () => finding("same")),
        benchmark("other", async () => finding("same")),
      ],
      contextOf().options,
    );
    expect(sections.map(({ status }) => status)).toEqual(["failed", "failed", "failed", "done", "failed"]);
    expect(sections.map(({ error }) => error?.split("\n")[0])).toEqual([
      expect.stringContaining("The figure x: value must be"),
      expect.stringContaining("The figure y: value must be"),
      expect.stringContaining("Two figures have the id example."),
      undefined,
      expect.stringContaining("Two figures have the id same."),
    ]);
  });

  it("keeps what an interrupted benchmark found, and does not run those after it", async () => {
    const stop = new AbortController();
    const sections = await runBenchmarks(
      [
        benchmark("stopped", async () => {
          stop.abort();
          return finding("half");
        }),
        benchmark("late", () => Promise.reject(new Error("must not run"))),
      ],
      contextOf(stop.signal).options,
    );
    expect(sections).toMatchObject([
      { status: "interrupted", figures: [{ id: "half" }] },
      { status: "not run", figures: [] },
    ]);
  });

  it("takes what a benchmark throws after the interruption for the interruption", async () => {
    const stop = new AbortController();
    const [section] = await runBenchmarks(
      [
        benchmark("stopped", async () => {
          stop.abort();
          throw new Error("aborted");
        }),
      ],
      contextOf(stop.signal).options,
    );
    expect(section).toMatchObject({ status: "interrupted", figures: [] });
    expect(section?.error).toBeUndefined();
  });

  it("reports the progress of the whole run", async () => {
    const { options, reported } = contextOf();
    const half: Benchmark["run"] = async ({ onProgress }) => {
      onProgress("half", 0.5);
      return { figures: [] };
    };
    await runBenchmarks([benchmark("first", half), benchmark("second", half)], options);
    expect(reported).toEqual([
      ["first: starting", 0],
      ["first: half", 0.25],
      ["second: starting", 0.5],
      ["second: half", 0.75],
    ]);
  });
});
