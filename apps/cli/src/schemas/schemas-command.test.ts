import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockCatalogue, writeLock } from "@synap/service/catalogue-lock";
import { EXIT } from "@synap/service/exit-codes";
import { defaultApplication } from "@synap/synap/internal";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runInProcess } from "../../testing/run-in-process.ts";
import { runProgram, setUpCommand } from "../terminal/program.ts";
import { schemasCommand } from "./schemas-command.ts";

const folder = mkdtempSync(join(tmpdir(), "synap-schemas-"));
const file = join(folder, "catalogue.lock.json");
const { catalogue } = defaultApplication;
const current = writeLock(lockCatalogue(catalogue));

/** Runs a command on the seeded event types, and returns what it printed and its exit code. */
async function run(...args: readonly string[]) {
  const command = setUpCommand(schemasCommand(), (rest) => `schemas ${rest}`);
  const { code, all } = await runInProcess(() => runProgram(command, [...args, "--lock", file]));
  return { code, text: all.join("\n") };
}

/** The lock with other fields of a paid invoice than the code has. */
function lockWith(change: (properties: Record<string, unknown>) => void): string {
  const lock = lockCatalogue(catalogue);
  const schema = structuredClone(lock.types["invoice.paid"]?.versions["1"]?.schema) ?? {};
  change(schema["properties"] as Record<string, unknown>);
  const { versions, ...type } = lock.types["invoice.paid"] ?? { aggregateType: "", version: 1, versions: {} };
  const changed = { ...type, versions: { "1": { ...versions["1"], schema } } };
  return writeLock({ ...lock, types: { ...lock.types, "invoice.paid": changed } });
}

const lockWithText = () =>
  lockWith((properties) => Object.assign(properties, { amount: { type: "string" } }));

describe("synap schemas", () => {
  const exitCode = process.exitCode;
  beforeEach(() => rmSync(file, { force: true }));
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = exitCode;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("writes a lock, with which it then finds nothing", async () => {
    expect(await run("lock", "--check")).toMatchObject({ code: EXIT.failed });
    expect(await run("lock")).toMatchObject({ code: EXIT.done });
    expect(readFileSync(file, "utf8")).toBe(current);
    expect(await run("lock", "--check")).toMatchObject({ code: EXIT.done });
    const { code, text } = await run("check", "--old-consumers", "--strict");
    expect([code, text]).toEqual([EXIT.done, expect.stringContaining("0 break old data")]);
  });

  it("names a break with its document, exits 1, and leaves the lock until the break is accepted", async () => {
    writeFileSync(file, lockWithText());
    const { code, text } = await run("check");
    expect(code).toBe(EXIT.failed);
    expect(text).toContain("| `invoice.paid` | 1 | **needs an upcaster** |");
    expect(text).toContain("- old data of version 1, `/amount`: a text is not accepted");
    expect(text).toContain('{"amount":"');
    expect(await run("lock")).toMatchObject({
      code: EXIT.failed,
      text: expect.stringContaining("invoice.paid"),
    });
    expect(readFileSync(file, "utf8")).toBe(lockWithText());
    expect(await run("lock", "--accept-breaks")).toMatchObject({ code: EXIT.done });
    expect(readFileSync(file, "utf8")).toBe(current);
  });

  it("prints JSON for programs", async () => {
    writeFileSync(file, lockWithText());
    const { text } = await run("check", "--json");
    const report: unknown = JSON.parse(text.slice(0, text.lastIndexOf("}") + 1));
    expect(report).toMatchObject({ breaks: 1, newDataBreaks: 1, undecided: 0 });
    expect(report).toHaveProperty("types");
  });

  it("fails for new data only if it is asked to", async () => {
    writeFileSync(
      file,
      lockWith((properties) => {
        delete properties["currency"];
      }),
    );
    expect(await run("check")).toMatchObject({
      code: EXIT.done,
      text: expect.stringContaining("| `invoice.paid` | 1 | compatible | **needs a new type** |"),
    });
    expect(await run("check", "--old-consumers")).toMatchObject({ code: EXIT.failed });
  });

  it("says what is wrong with a lock", async () => {
    expect(await run("check")).toMatchObject({
      code: EXIT.usage,
      text: expect.stringContaining("There is no lock"),
    });
    writeFileSync(file, "{}");
    expect(await run("check")).toMatchObject({
      code: EXIT.failed,
      text: expect.stringContaining("can't be read"),
    });
  });
});
