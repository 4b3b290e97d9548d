import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  exampleFigure,
  examplePlot,
  exampleReport,
  exampleSection,
  reportOf,
} from "../../test/example-report.ts";
import { parseReport, readReport, reportText, saveBaseline, saveReport } from "./keep-report.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "synap-bench-report-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("a report in a file", () => {
  it("is read back as it was", () => {
    const file = join(directory, "new", "folder", "report.json");
    const report = exampleReport({
      benchmarks: [exampleSection({ plots: [examplePlot], skipped: ["rain"] })],
    });
    saveReport(file, report);
    expect(readReport(file)).toEqual(report);
  });

  it("keeps whole numbers whole, and of fractions six digits", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (whole, fraction) => {
        const report = reportOf([exampleFigure({ value: whole, samples: [fraction] })]);
        const figure = parseReport(reportText(report), "x").benchmarks[0]?.figures[0];
        expect(figure?.value).toBe(whole);
        expect(Math.abs((figure?.samples?.[0] ?? 0) / fraction - 1)).toBeLessThan(1e-5);
      }),
    );
  });

  it("is a baseline without its plots", () => {
    const file = join(directory, "baseline.json");
    saveBaseline(file, exampleReport({ benchmarks: [exampleSection({ plots: [examplePlot] })] }));
    expect(readReport(file)).toEqual(exampleReport());
  });

  it("is undefined where there is none", () => {
    expect(readReport(join(directory, "nowhere.json"))).toBeUndefined();
  });

  it("that can't be read names the file, the field and the rule", () => {
    const file = join(directory, "broken.json");
    const reading = (text: string) => {
      writeFileSync(file, text);
      return () => readReport(file);
    };
    const whole = readFileSync(join(directory, "baseline.json"), "utf8");
    expect(reading("{")).toThrow(`${file} is no report of this benchmark: it is not JSON`);
    expect(reading(whole.replace('"value": 100', '"value": "fast"'))).toThrow(
      "benchmarks[0].figures[0].value must be a number, not a string",
    );
    expect(reading(whole.replace('"format": 1', '"format": 2'))).toThrow("format must be 1");
    expect(reading("[]")).toThrow("it must be a JSON object, not an array");
    expect(() => readReport(directory)).toThrow(`${directory} is no report of this benchmark: EISDIR`);
  });
});
