import { describe, expect, it } from "vitest";
import { type Curve, curveFigures, curvePlots } from "./curve.ts";

const curve: Curve = {
  id: "chunks",
  quantity: "chunks",
  points: [
    {
      x: 10,
      measurements: [
        { id: "batches", name: "appending", unit: "events/s", samples: [3, 1, 2] },
        { id: "next", name: "reading", unit: "ms", samples: [5] },
      ],
    },
    { x: 1_000, measurements: [{ id: "batches", name: "appending", unit: "events/s", samples: [4] }] },
  ],
};

describe("a curve", () => {
  it("has a figure for each measurement, whose value is the median", () => {
    const figures = curveFigures("server", curve);
    expect(figures.map(({ id, value, better }) => [id, value, better])).toEqual([
      ["growth.server.chunks.10.batches", 2, "higher"],
      ["growth.server.chunks.10.next", 5, "lower"],
      ["growth.server.chunks.1000.batches", 4, "higher"],
    ]);
    expect(figures[2]?.name).toBe("appending; chunks: 1,000");
  });

  it("is drawn once for rates and once for durations, without points that were not measured", () => {
    const plots = curvePlots("server", curve);
    expect(plots.map(({ yLabel, series }) => [yLabel, series.map(({ points }) => points)])).toEqual([
      [
        "events/s",
        [
          [
            { x: 10, y: 2 },
            { x: 1_000, y: 4 },
          ],
        ],
      ],
      ["ms, p50", [[{ x: 10, y: 5 }]]],
    ]);
  });

  it("has a linear axis where it begins at 0", () => {
    const from0 = { ...curve, points: curve.points.map((point) => ({ ...point, x: point.x - 10 })) };
    expect(curvePlots("server", from0)[0]?.xScale).toBe("linear");
    expect(curvePlots("server", curve)[0]?.xScale).toBe("log");
  });

  it("names in the title of a plot what is drawn there alone", () => {
    expect(curvePlots("server", curve)[0]?.title).toBe("Appending against chunks, server");
  });

  it("is not drawn from a single point", () => {
    expect(curvePlots("server", { ...curve, points: curve.points.slice(0, 1) })).toEqual([]);
  });
});
