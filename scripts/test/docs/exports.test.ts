import { describe, expect, it } from "vitest";
import { files, read } from "./documentation.ts";

/** The names that a package exports at its root. */
function exportsOf(index: string): string[] {
  return [...read(index).matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
    names
      .split(",")
      .map((name) => name.replace("type ", "").trim())
      .filter(Boolean),
  );
}

describe("the exports of @synap/synap", () => {
  const page = read("docs/your-own-application.md");
  const table = page.slice(page.indexOf("## What the package exports"));
  const named = [...table.slice(0, table.indexOf("`@synap/synap/testing`")).matchAll(/`(\w+)`/g)].map(
    ([, name = ""]) => name,
  );
  const errors = errorsInOwnProcess();

  it("are those that your-own-application.md and errors.md name", () => {
    const documented = new Set([...named, ...errors.keys()]);
    expect(exportsOf("packages/synap/src/index.ts").sort()).toEqual([...documented].sort());
  });

  it("have every error class that the packages behind it export", () => {
    const own = new Set(exportsOf("packages/synap/src/index.ts"));
    const behind = ["types", "database", "handlers"].flatMap((name) =>
      exportsOf(`packages/${name}/src/index.ts`),
    );
    const classes = behind.filter((name) => /Error$/.test(name));
    expect(classes.length).toBeGreaterThan(30);
    expect(classes.filter((name) => !own.has(name))).toEqual([]);
  });

  it("have error classes with the codes that errors.md gives them", () => {
    const codes = codesOfErrorClasses();
    expect(errors.size).toBeGreaterThan(30);
    for (const [name, documented] of errors) expect([name, documented]).toEqual([name, codes.get(name)]);
  });
});

/** The error classes of errors.md that an application meets in its own process, with their codes. */
function errorsInOwnProcess(): Map<string, string[]> {
  const page = read("docs/errors.md");
  const rows = page.slice(page.indexOf("## In your own process")).matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm);
  return new Map([...rows].map(([, name = "", codes = ""]) => [name, quoted(codes, "`")]));
}

/** The codes of error classes, by name, as the sources of the packages that an application imports have them. */
function codesOfErrorClasses(): Map<string, string[]> {
  const sources = files.filter((file) =>
    /^packages\/(types|database|handlers|synap)\/src\/.*(?<!test)\.ts$/.test(file),
  );
  const classes = sources.flatMap((file) => [
    ...read(file).matchAll(/^export class (\w+Error)\b[\s\S]*?^ {2}readonly code([^;]*);/gm),
  ]);
  return new Map(classes.map(([, name = "", code = ""]) => [name, quoted(code, '"')]));
}

function quoted(text: string, mark: string): string[] {
  return text.split(mark).filter((_, index) => index % 2 === 1);
}

describe("the exports of the other packages", () => {
  it("have the parts of the engine under /internal", () => {
    const engine =
      /Envelope|thrown|Dispatcher|Runner|Registry|^compose|Ingest|INGEST|^keep|Exposure|Presence|^create\w*EventStore$/;
    for (const name of ["types", "database", "handlers", "synap"]) {
      expect(exportsOf(`packages/${name}/src/index.ts`).filter((each) => engine.test(each))).toEqual([]);
    }
  });

  it("are each at the root or under /internal, not both", () => {
    for (const name of ["types", "database", "handlers", "synap"]) {
      const internal = exportsOf(`packages/${name}/src/internal.ts`);
      expect(exportsOf(`packages/${name}/src/index.ts`).filter((each) => internal.includes(each))).toEqual(
        [],
      );
    }
  });
});
