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

  /** Error classes that no application meets, with the place where each of them ends. */
  const inside = new Map([
    ["ArchiveDamagedError", "the command archive has its reason"],
    ["ArchiveOutdatedError", "the command archive writes the chunk again"],
    ["ArchiveStateError", "the command archive has its reason"],
    ["ChangingSchemaError", "an EventTypeDefinitionError or a DeciderDefinitionError has its reason"],
    ["CompressionUnavailableError", "the command compress prints it"],
    ["DuplicateHandlerError", "a ModuleError refuses such a config first"],
    ["FastPathMissError", "the append looks up what is stored already"],
    ["JsonSchemaError", "a comparison of schemas says so"],
    ["NoSampleError", "the comparison of schemas tries another document"],
    ["HandlerPassError", "the runner of the handlers logs it, and makes another pass"],
    ["InvalidEnvelopeError", "the worker keeps the envelope"],
    ["NotWritableError", "the readiness check reports it"],
    ["Obstacle", "the event type is kept with the reason, and post_event refuses it"],
    ["NoPurgeToContinueError", "the command purge says so"],
    ["NoRetentionPolicyError", "the command retention says so"],
    [
      "NothingToResolveError",
      "the API answers with its problem; createSynap decides about dead letters by number",
    ],
    ["SubjectHeldError", "synap subjects erase has its reason"],
    ["NothingToEraseError", "synap subjects has its reason"],
    ["PersonalFieldError", "an EventTypeDefinitionError has its reason"],
    ["PeriodTooLargeError", "the HTTP API answers period-too-large"],
    ["PurgeUnfinishedError", "the command purge says how to continue"],
    ["RefusedDataError", "the append appends its events one by one"],
    ["RowsNotOwnedError", "the HTTP API answers rows-not-owned"],
    ["StreamTakenError", "the HTTP API answers stream-taken"],
    ["ThrownValueError", "stands for a value that is no error, in place of a handler's own error"],
    ["Undo", "an as-of run undoes its own work"],
    ["UnknownEventTypeError", "a ModuleError refuses such a config first"],
    ["UnknownRetainedTypeError", "the command retention says so"],
    ["WebhookTimeoutError", "the cause of the TransientHandlerError of a webhook"],
    ["UnknownHandlerError", "the runner follows only the handlers of its own config"],
  ]);
  it("have every error class that an application can meet", () => {
    const exported = exportsOf("packages/synap/src/index.ts");
    const classes = errorClassesOf("types", "database", "handlers", "domain", "synap");
    expect(classes.length).toBeGreaterThan(50);
    expect(classes.filter((name) => !exported.includes(name)).sort()).toEqual([...inside.keys()].sort());
  });

  it("have error classes with the codes that errors.md gives them", () => {
    const codes = codesOfErrorClasses();
    expect(errors.size).toBeGreaterThan(30);
    for (const [name, documented] of errors) expect([name, documented]).toEqual([name, codes.get(name)]);
  });
});

/** The error classes in the sources of packages. */
function errorClassesOf(...packages: readonly string[]): string[] {
  return files
    .filter((file) => packages.includes(/^packages\/(\w+)\/src\/.*(?<!test)\.ts$/.exec(file)?.[1] ?? ""))
    .flatMap((file) => [...read(file).matchAll(/class (\w+) extends (?:\w*Error|RangeError)\b/g)])
    .map(([, name = ""]) => name);
}

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

describe("the exports of @synap/client", () => {
  it("have every error class that it throws", () => {
    const classes = errorClassesOf("client");
    expect(classes.length).toBeGreaterThan(3);
    expect(exportsOf("packages/client/src/index.ts")).toEqual(expect.arrayContaining(classes));
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

  it("have no accessors of untyped data: handlers and projections get theirs typed", () => {
    const names = ["types", "database", "handlers", "synap"].flatMap((name) =>
      ["index", "internal"].flatMap((entry) => exportsOf(`packages/${name}/src/${entry}.ts`)),
    );
    expect(names.filter((name) => /^(textOf|numberOf|booleanOf|foldRows)$/.test(name))).toEqual([]);
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
