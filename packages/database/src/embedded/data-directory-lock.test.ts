import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataDirectoryInUseError } from "../connection/database-errors.ts";
import { lockDataDirectory } from "./data-directory-lock.ts";
import { identifyProcess } from "./process-identity.ts";

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "synap-lock-"));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const lockFiles = () => readdirSync(path).filter((name) => name.startsWith("lock."));

// Races, kills and orderly ends of real processes: apps/cli/src/data-directory/open-data-directory.test.ts.
describe("the lock of a data directory", () => {
  it("excludes the same process too, and is free once released", () => {
    const lock = lockDataDirectory(path, { API: "http://127.0.0.1:3400" });
    let refusal: unknown;
    try {
      lockDataDirectory(path);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(DataDirectoryInUseError);
    expect(refusal).toMatchObject({ code: "DATA_DIRECTORY_IN_USE", processId: process.pid });
    expect(String(refusal)).toMatch(
      new RegExp(
        `in use by process ${process.pid}, since 20.*\n {2}API: http://127.0.0.1:3400\n.*use its API`,
      ),
    );
    lock.release();
    lockDataDirectory(path).release();
    expect(lockFiles()).toEqual(["lock.2.json"]);
  });

  it("is not held by a process that reuses the dead holder's pid", () => {
    const holder = { ...identifyProcess(), startToken: "12345" };
    const lock = { ...holder, startedAt: new Date().toISOString(), urls: {} };
    writeFileSync(join(path, "lock.7.json"), JSON.stringify(lock));
    const taken = lockDataDirectory(path);
    expect(lockFiles()).toEqual(["lock.8.json"]);
    taken.release();
  });

  it("is not taken over from another machine, whose processes can't be checked", () => {
    const lock = {
      pid: 1,
      host: `not-${hostname()}`,
      boot: "another",
      startedAt: "2026-01-01T00:00:00.000Z",
      urls: {},
    };
    writeFileSync(join(path, "lock.1.json"), JSON.stringify(lock));
    expect(() => lockDataDirectory(path)).toThrow(/another machine .* delete .*lock\.1\.json/);
  });
});
