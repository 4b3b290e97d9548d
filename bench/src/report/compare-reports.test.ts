import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exampleFigure, exampleReport, exampleSection, reportOf } from "../../test/example-report.ts";
import type { Figure } from "../benchmark.ts";
import { compareFigures, compareReports, LEAST_TOLERANCE, spread } from "./compare-reports.ts";

const judge = { mode: "full", isSameMachine: true } as const;
const verdictOf = (now: Partial<Figure>, before: Partial<Figure>) =>
  compareFigures(exampleFigure(now), exampleFigure(before), judge).verdict;

describe("a figure beside its baseline", () => {
  it("is worse when it lost more than a quarter, in the direction that counts for it", () => {
    expect(verdictOf({ value: 79 }, { value: 100 })).toBe("worse");
    expect(verdictOf({ value: 81 }, { value: 100 })).toBe("same");
    expect(verdictOf({ value: 126, better: "lower" }, { value: 100, better: "lower" })).toBe("worse");
    expect(verdictOf({ value: 124, better: "lower" }, { value: 100, better: "lower" })).toBe("same");
  });

  it("is better by the same measure", () => {
    expect(verdictOf({ value: 126 }, { value: 100 })).toBe("better");
    expect(verdictOf({ value: 79, better: "lower" }, { value: 100, better: "lower" })).toBe("better");
  });

  it("may be worse by the spreads of both runs, where that is more than a quarter", () => {
    const wide = [60, 100, 120];
    expect(verdictOf({ value: 55 }, { value: 100 })).toBe("worse");
    expect(verdictOf({ value: 55 }, { value: 100, samples: wide })).toBe("same");
    expect(verdictOf({ value: 55, samples: wide }, { value: 100 })).toBe("same");
    expect(verdictOf({ value: 49 }, { value: 100, samples: wide })).toBe("worse");
    expect(verdictOf({ value: 49, samples: wide }, { value: 100, samples: wide })).toBe("same");
    expect(verdictOf({ value: 24, samples: wide }, { value: 100, samples: wide })).toBe("worse");
  });

  it("gains no leave from one outlier among five samples, or seven", () => {
    expect(spread(exampleFigure({ samples: [100, 10, 110] }))).toBe(11);
    expect(spread(exampleFigure({ samples: [100, 10, 110, 105, 100] }))).toBe(1.05);
    expect(spread(exampleFigure({ samples: [100, 1_000, 110, 105, 100, 107, 99] }))).toBe(1.1);
    expect(verdictOf({ value: 70, samples: [70, 70, 7, 71, 72] }, { value: 100 })).toBe("worse");
  });

  it("says by which factor it is worse, what it was, and what was allowed", () => {
    const change = compareFigures(exampleFigure({ value: 50 }), exampleFigure({ value: 100 }), judge);
    expect(change).toEqual({ id: "example", verdict: "worse", before: 100, worseBy: 2, tolerance: 1.25 });
  });

  it("is worse when something came where there was nothing", () => {
    const lost = { unit: "events", better: "lower" } as const;
    expect(verdictOf({ ...lost, value: 1 }, { ...lost, value: 0 })).toBe("worse");
    expect(verdictOf({ ...lost, value: 0 }, { ...lost, value: 0 })).toBe("same");
    expect(verdictOf({ ...lost, value: 0 }, { ...lost, value: 1 })).toBe("better");
  });

  it("is new without a baseline, and not judged when it means something else there or has no ratio", () => {
    expect(compareFigures(exampleFigure(), undefined, judge)).toEqual({ id: "example", verdict: "new" });
    expect(verdictOf({ unit: "ms" }, { unit: "ratio" })).toBe("not judged");
    expect(verdictOf({ better: "lower" }, { better: "higher" })).toBe("not judged");
    expect(verdictOf({ value: -1 }, { value: 1 })).toBe("not judged");
  });

  it("counts on another machine only when it is a ratio", () => {
    const elsewhere = { mode: "full", isSameMachine: false } as const;
    const verdict = (unit: string) =>
      compareFigures(exampleFigure({ unit, value: 10 }), exampleFigure({ unit, value: 100 }), elsewhere);
    expect(verdict("ratio").verdict).toBe("worse");
    expect(verdict("events/s")).toEqual({
      id: "example",
      verdict: "not judged",
      before: 100,
      reason: "another machine",
    });
  });

  it("counts in a quick run only when it is a ratio, and only when it lost half", () => {
    const quick = { mode: "quick", isSameMachine: true } as const;
    const verdict = (unit: string, value: number) =>
      compareFigures(exampleFigure({ unit, value }), exampleFigure({ unit, value: 100 }), quick).verdict;
    expect(verdict("ratio", 49)).toBe("worse");
    expect(verdict("ratio", 51)).toBe("same");
    expect(verdict("events/s", 1)).toBe("not judged");
  });
});

describe("the laws of comparing", () => {
  const value = fc.double({ min: 0.001, max: 1e9, noNaN: true });
  const figure = fc
    .record({
      value,
      samples: fc.option(fc.array(value, { minLength: 1, maxLength: 7 }), { nil: undefined }),
    })
    .map((drawn) => exampleFigure(drawn));
  const better = fc.constantFrom("higher" as const, "lower" as const);

  it("a figure is never worse or better than itself", () => {
    fc.assert(
      fc.property(figure, better, (drawn, direction) => {
        const same = { ...drawn, better: direction };
        expect(compareFigures(same, same, judge)).toMatchObject({ verdict: "same", worseBy: 1 });
      }),
    );
  });

  it("what is worse one way round is better the other way round", () => {
    const mirrored = new Map<string, string>([
      ["worse", "better"],
      ["better", "worse"],
      ["same", "same"],
    ]);
    fc.assert(
      fc.property(figure, figure, better, (one, other, direction) => {
        const [a, b] = [
          { ...one, better: direction },
          { ...other, better: direction },
        ];
        const { verdict } = compareFigures(a, b, judge);
        expect(compareFigures(b, a, judge).verdict).toBe(mirrored.get(verdict));
      }),
    );
  });

  it("units do not matter: twice all the values is the same comparison", () => {
    const doubled = (drawn: Figure): Figure => ({
      ...drawn,
      value: drawn.value * 2,
      samples: drawn.samples?.map((sample) => sample * 2),
    });
    fc.assert(
      fc.property(figure, figure, (now, before) => {
        expect(compareFigures(doubled(now), doubled(before), judge).verdict).toBe(
          compareFigures(now, before, judge).verdict,
        );
      }),
    );
  });

  it("what is worse stays worse when it gets still worse", () => {
    fc.assert(
      fc.property(figure, figure, fc.double({ min: 0.01, max: 1, noNaN: true }), (now, before, share) => {
        fc.pre(compareFigures(now, before, judge).verdict === "worse");
        const still = compareFigures({ ...now, value: now.value * share }, before, judge);
        expect(still.verdict).toBe("worse");
      }),
    );
  });

  it("more noise names no more regressions, and none is named within tolerance", () => {
    fc.assert(
      fc.property(figure, figure, fc.double({ min: 1, max: 3, noNaN: true }), (now, before, noise) => {
        const calm = compareFigures(now, before, judge);
        const noisy = { ...now, samples: now.samples?.map((sample) => sample ** noise) };
        if (calm.verdict === "worse") {
          expect(calm.worseBy).toBeGreaterThan(LEAST_TOLERANCE.full);
          expect(calm.worseBy).toBeGreaterThan(spread(now) * spread(before));
        } else {
          expect(compareFigures(noisy, before, judge).verdict).not.toBe("worse");
        }
      }),
    );
  });
});

describe("a report beside a baseline", () => {
  it("names what is new and what is gone", () => {
    const baseline = reportOf([exampleFigure({ id: "old" }), exampleFigure({ id: "both" })]);
    const report = reportOf([exampleFigure({ id: "both" }), exampleFigure({ id: "fresh" })]);
    const { changes, missing } = compareReports(report, baseline);
    expect(changes.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["both", "same"],
      ["fresh", "new"],
    ]);
    expect(missing.map(({ id }) => id)).toEqual(["old"]);
  });

  it("misses nothing of a benchmark that was not run to its end", () => {
    const baseline = exampleReport({
      benchmarks: [
        exampleSection({ name: "failed", figures: [exampleFigure({ id: "a" })] }),
        exampleSection({ name: "left out", figures: [exampleFigure({ id: "b" })] }),
      ],
    });
    const report = exampleReport({
      benchmarks: [exampleSection({ name: "failed", status: "failed", figures: [] })],
    });
    expect(compareReports(report, baseline).missing).toEqual([]);
  });

  it("knows another machine by its processor and its cores, and reports every difference", () => {
    const here = exampleReport();
    const { machine } = here;
    const compare = (changes: Partial<typeof machine>) =>
      compareReports(here, { ...here, machine: { ...machine, ...changes } });
    expect(compare({ cpu: "Another CPU" })).toMatchObject({
      isSameMachine: false,
      differences: ["CPU: Another CPU before, Example CPU now"],
    });
    expect(compare({ cores: 8 }).isSameMachine).toBe(false);
    expect(compare({ node: "22.1.0" })).toMatchObject({
      isSameMachine: true,
      differences: ["Node.js: 22.1.0 before, 20.0.0 now"],
    });
    expect(compare({ loadAverage: [9, 9, 9] })).toMatchObject({ isSameMachine: true, differences: [] });
  });

  it("reports which engines differ", () => {
    const here = exampleReport({
      engines: [{ engine: "server", postgresql: "17.1", timescaledb: "2.19.3", edition: "apache" }],
    });
    const before = exampleReport({
      engines: [{ engine: "server", postgresql: "16.2", timescaledb: "2.19.3", edition: "community" }],
    });
    expect(compareReports(here, before).differences).toEqual([
      "server engine, PostgreSQL: 16.2 before, 17.1 now",
      "server engine, edition: community before, apache now",
    ]);
    expect(compareReports(here, exampleReport({ engines: [] })).differences).toEqual([
      "server engine: not in the baseline",
    ]);
  });
});
