import { describe, expect, it } from "vitest";
import { read } from "./documentation.ts";

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
  const documented = [...table.slice(0, table.indexOf("`@synap/synap/testing`")).matchAll(/`(\w+)`/g)].map(
    ([, name]) => name,
  );

  it("are those that your-own-application.md names", () => {
    expect(exportsOf("packages/synap/src/index.ts").sort()).toEqual(documented.sort());
  });
});

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
