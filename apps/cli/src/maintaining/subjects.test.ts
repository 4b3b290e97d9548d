import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase } from "@synap/database/testing";
import { EXIT } from "@synap/service/exit-codes";
import { createSynap, defineConfig, defineEventType } from "@synap/synap";
import { EMBEDDED_FOLDER } from "@synap/synap/internal";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { runOnDirectory } from "../../testing/run-on-directory.ts";
import { subjectsCommand } from "./subjects.ts";

const EMAIL = "ada@example.org";
const customerJoined = defineEventType({
  name: "customer.joined",
  description: "A customer joined.",
  schema: z.strictObject({ email: z.string().meta({ personal: { subject: "userId" } }) }),
  example: { email: "grace@example.com" },
});

const folder = mkdtempSync(join(tmpdir(), "synap-subjects-"));
const dataDirectory = join(folder, "data");
const exitCode = process.exitCode;

beforeAll(async () => {
  const { database, options } = await createTestDatabase("embedded", "migrated", { onDisk: true });
  await database.close();
  mkdirSync(dataDirectory);
  if ("dataDirectory" in options) renameSync(options.dataDirectory, join(dataDirectory, EMBEDDED_FOLDER));
  const synap = await createSynap(defineConfig({ eventTypes: [customerJoined] }), { dataDirectory });
  await synap.publish({ type: "customer.joined", userId: "ada", data: { email: EMAIL } });
  await synap.publish({ type: "customer.joined", userId: "ben", data: { email: "ben@example.org" } });
  await synap.close();
}, 60_000);
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = exitCode;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command of `subjects` on the directory that createSynap has made, which has a key file. */
const run = (...args: readonly string[]) => runOnDirectory(subjectsCommand(), dataDirectory, args);

/** Runs the program of docs/personal-data.md that verifies a report. */
function pageProgram(...args: readonly string[]): string {
  const page = readFileSync(new URL("../../../../docs/personal-data.md", import.meta.url), "utf8");
  const [, program = ""] = /```ts\n([^`]*?verify\(null[\s\S]*?)```/.exec(page) ?? [];
  writeFileSync(join(folder, "verify.mjs"), program);
  return execFileSync(process.execPath, [join(folder, "verify.mjs"), ...args], { encoding: "utf8" });
}

it("shows a subject in a data directory that has a key file", async () => {
  const { code, text } = await run("show", "ada");
  expect([code, JSON.parse(text)]).toEqual([EXIT.done, { subject: "ada", key: "kept" }]);
});

it("exports the events about a subject as lines of JSON, and says on standard error how many", async () => {
  const { code, lines, errors } = await run("export", "ada");
  expect(code).toBe(EXIT.done);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { type: "customer.joined", userId: "ada", data: { email: EMAIL } },
  ]);
  expect(errors).toContain("1 event was exported.");
});

it("verifies an erasure, and signs a report of it that has no personal values", async () => {
  const before = await run("verify", "ada", "--canary", EMAIL);
  expect(before).toMatchObject({ code: EXIT.failed, text: expect.stringContaining("its key exists") });
  expect(before.text).toContain("values that its key opens are in synap.events.data: 1 row");

  expect(await run("erase", "ada", "--reason", "Request 118")).toMatchObject({ code: EXIT.done });
  const report = join(folder, "118.json");
  const after = await run("verify", "ada", "--canary", EMAIL, "--report", report);
  // No worker has replaced read models in this directory.
  expect([after.code, after.text]).toEqual([
    EXIT.failed,
    expect.stringContaining("not replaced the read models"),
  ]);
  expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({
    report: "erasure",
    result: "not-verified",
    isErased: true,
    inLedger: true,
    canaries: 1,
    faults: [{ kind: "read-models-not-replaced" }],
  });
  expect(readFileSync(report, "utf8")).not.toMatch(/"ada"|example\.org|Request/);

  const publicKey = after.text.slice(after.text.indexOf("-----BEGIN PUBLIC KEY-----"));
  writeFileSync(join(folder, "public.pem"), publicKey);
  expect(pageProgram(report, join(folder, "public.pem"))).toBe("genuine\n");
  const changed = join(folder, "changed.json");
  writeFileSync(changed, readFileSync(report, "utf8").replace("not-verified", "verified"));
  writeFileSync(`${changed}.sig`, readFileSync(`${report}.sig`));
  expect(pageProgram(changed, join(folder, "public.pem"))).toBe("changed\n");
  const key = join(dataDirectory, "personal-data.keys.signing");
  expect(statSync(key).mode & 0o777).toBe(0o600);

  const again = await run("verify", "ada", "--report", report);
  expect(again).toMatchObject({ code: EXIT.usage, errors: expect.stringContaining("exists already") });
  // The next report is signed by the same key, and the directory with it is opened.
  expect((await run("verify", "ada", "--report", `${report}.2`)).text).toContain(publicKey);
  expect(await run("verify", "ada", "--canary", "ada")).toMatchObject({ code: EXIT.usage });
});
