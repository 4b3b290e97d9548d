import { describe, expect, it } from "vitest";
import type { Benchmark } from "../benchmark.ts";
import { requestOf } from "./bench-command.ts";

const benchmarks: readonly Benchmark[] = ["append", "http", "reading"].map((name) => ({
  name,
  title: name,
  run: async () => ({ figures: [] }),
}));
const plain = { quick: false, list: false, saveBaseline: false, strict: false };
const request = (
  names: readonly string[],
  options: Partial<typeof plain> & { baseline?: string; output?: string } = {},
  environment: Record<string, string> = {},
) => requestOf(benchmarks, names, { ...plain, ...options }, environment);

describe("what the bench command is asked for", () => {
  it("is all benchmarks, or those named, in the order of a full run", () => {
    expect(request([]).benchmarks).toEqual(benchmarks);
    expect(request(["reading", "append"]).benchmarks.map(({ name }) => name)).toEqual(["append", "reading"]);
  });

  it("is compared with the baseline of its mode", () => {
    expect(request([]).baselineFile).toMatch(/bench\/baseline\.json$/);
    expect(request([], { quick: true }).baselineFile).toMatch(/bench\/baseline-quick\.json$/);
    expect(request([], { baseline: "mine.json" })).toMatchObject({
      baselineFile: "mine.json",
      mustHaveBaseline: true,
    });
    expect(request([], { baseline: "new.json", saveBaseline: true }).mustHaveBaseline).toBe(false);
  });

  it("goes into a folder of its own, unless one is given", () => {
    expect(request([], { quick: true }).outputDirectory).toMatch(/bench\/results\/[\dT-]+-quick$/);
    expect(request([], { output: "here" }).outputDirectory).toBe("here");
  });

  it("takes the servers from the environment; an empty variable is none", () => {
    const environment = { DATABASE_URL: "postgres://u:p@h:1/d", INNGEST_BASE_URL: "http://h:8288" };
    expect(request([], {}, environment)).toMatchObject({
      serverUrl: "postgres://u:p@h:1/d",
      inngestUrl: "http://h:8288",
    });
    const empty = request([], {}, { DATABASE_URL: "", INNGEST_BASE_URL: "" });
    expect([empty.serverUrl, empty.inngestUrl]).toEqual([undefined, undefined]);
  });

  it("is refused in words when it can't be meant", () => {
    expect(() => request(["apend", "http"])).toThrow(
      "There is no benchmark apend. Choose from: append, http, reading.",
    );
    expect(() => request(["a", "b"])).toThrow("There are no benchmarks a, b.");
    expect(() => request(["http"], { saveBaseline: true })).toThrow("use --save-baseline without names");
    expect(() => request([], {}, { DATABASE_URL: "localhost:5432" })).toThrow("DATABASE_URL must be a URL");
    expect(() => request([], {}, { INNGEST_BASE_URL: "localhost:8288" })).toThrow(
      'INNGEST_BASE_URL must be an http(s) URL, not "localhost:8288".',
    );
  });
});
