import { describe, expect, it } from "vitest";
import { files, read } from "../docs/documentation.ts";
import { shownFiles } from "./new-folder.ts";

describe("the tutorial of examples/shop", () => {
  it("shows its files as they are", () => {
    expect(shownFiles.length).toBeGreaterThan(10);
    for (const { path, text } of shownFiles) expect(text, path).toBe(read(`examples/shop/${path}`));
  });

  it("shows every file of the application", () => {
    const shown = shownFiles.map(({ path }) => `examples/shop/${path}`);
    // package.json is what its commands make of it; shop.e2e.test.ts compares.
    const application = files.filter((file) => /^examples\/shop\/.*\.(ts|sql)$/.test(file));
    expect(application.filter((file) => !shown.includes(file))).toEqual([]);
  });

  it("has no cast, no any and no annotation that stands for a lost type", () => {
    const sources = shownFiles.filter(({ path }) => path.endsWith(".ts"));
    const casts = sources.flatMap(({ path, text }) =>
      [
        ...text
          .replaceAll(/\/\/.*|\/\*[\s\S]*?\*\/|"[^"\n]*"/g, "")
          .matchAll(/\bas (?!const\b)[\w.]+|\bany\b|@ts-|![.;)]/g),
      ].map(([found]) => `${path}: ${found}`),
    );
    expect(casts).toEqual([]);
  });
});
