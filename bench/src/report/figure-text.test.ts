import { describe, expect, it } from "vitest";
import { exampleFigure } from "../../test/example-report.ts";
import { changeText } from "./change-text.ts";
import { metText, spreadText, targetText, valueText } from "./figure-text.ts";

describe("figures in words", () => {
  it("have three digits that count, and their unit", () => {
    expect(valueText(21_700.45, "events/s")).toBe("21,700 events/s");
    expect(valueText(0.8649, "ratio")).toBe("0.865×");
    expect(valueText(4.2149, "ms")).toBe("4.21 ms");
    expect(valueText(2_345, "ms")).toBe("2.35 s");
    expect(valueText(0.00042, "ms")).toBe("0.00042 ms");
    expect(valueText(0, "events")).toBe("0 events");
    expect(valueText(1_012, "bytes/event")).toBe("1,012 bytes/event");
    expect(valueText(734_003_200, "bytes")).toBe("734 MB");
    expect(targetText({ comparison: "at least", bound: 10_000 }, "events/s")).toBe(
      "at least 10,000 events/s",
    );
  });

  it("say met up to the bound itself", () => {
    const figure = (value: number, comparison: "at least" | "at most") =>
      exampleFigure({ value, target: { comparison, bound: 10 } });
    expect(metText(figure(10, "at least"))).toBe("met");
    expect(metText(figure(9.9, "at least"))).toBe("MISSED");
    expect(metText(figure(10, "at most"))).toBe("met");
    expect(metText(figure(10.1, "at most"))).toBe("MISSED");
    expect(metText(exampleFigure())).toBe("");
  });

  it("tell how far their samples lie apart", () => {
    expect(spreadText(exampleFigure({ samples: [0.8, 0.86, 0.79] }))).toBe("3 samples, 0.79 to 0.86×");
    expect(spreadText(exampleFigure({ unit: "ms", samples: [980, 1_200] }))).toBe(
      "2 samples, 980 ms to 1.2 s",
    );
    expect(spreadText(exampleFigure({ samples: [1] }))).toBe("1 sample");
    expect(spreadText(exampleFigure())).toBeUndefined();
  });

  it("tell what became of them", () => {
    const text = (verdict: "worse" | "better" | "same" | "not judged", worseBy?: number) =>
      changeText({ id: "x", verdict, ...(worseBy !== undefined && { worseBy }) });
    expect(text("worse", 2.1)).toBe("2.1× WORSE");
    expect(text("worse", Number.POSITIVE_INFINITY)).toBe("∞ WORSE");
    expect(text("better", 0.5)).toBe("2× better");
    expect(text("same", 1)).toBe("same");
    expect(text("same", 1.1)).toBe("same (1.1× less good)");
    expect(text("not judged", 1.1)).toBe("1.1× less good, not judged");
    expect(text("not judged")).toBe("–");
  });
});
