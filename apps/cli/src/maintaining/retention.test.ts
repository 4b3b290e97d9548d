import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@synap/database";
import { createTestDatabase } from "@synap/database/testing";
import { EXIT } from "@synap/service/exit-codes";
import { createSynap, defineConfig, defineEventType } from "@synap/synap";
import { EMBEDDED_FOLDER } from "@synap/synap/internal";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { runOnDirectory } from "../../testing/run-on-directory.ts";
import { retentionCommand } from "./retention.ts";

const DAY_MS = 86_400_000;
const pumpMeasured = defineEventType({
  name: "pump.measured",
  description: "A pump was measured.",
  schema: z.strictObject({ pressure: z.number() }),
  example: { pressure: 2.5 },
});

const folder = mkdtempSync(join(tmpdir(), "synap-retention-"));
const dataDirectory = join(folder, "data");
const exitCode = process.exitCode;

beforeAll(async () => {
  const { database, options } = await createTestDatabase("embedded", "migrated", { onDisk: true });
  await database.close();
  mkdirSync(dataDirectory);
  if ("dataDirectory" in options) renameSync(options.dataDirectory, join(dataDirectory, EMBEDDED_FOLDER));
  const synap = await createSynap(defineConfig({ eventTypes: [pumpMeasured] }), { dataDirectory });
  const at = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
  const measured = [5, 4, 3].map((days) => ({
    type: "pump.measured" as const,
    timestamp: at(days),
    data: { pressure: 2.5 },
  }));
  for (const event of measured) await synap.publish(event);
  await synap.close();
}, 60_000);
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = exitCode;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: readonly string[]) => runOnDirectory(retentionCommand(), dataDirectory, args);

it("sets a policy, counts, removes, and ends the policy", async () => {
  expect((await run("list")).text).toBe("No type has a policy: all events are kept.");
  const set = ["set", "pump.measured", "--keep", "4d", "--reason", "Telemetry", "--by", "user:ada"];
  expect((await run(...set)).text).toBe("The events of pump.measured are kept for 4 days.");
  expect((await run("list")).text).toMatch(
    /^type .*reason\npump\.measured +4 +no +20\S+Z +user:ada +Telemetry$/,
  );
  const listed: unknown = JSON.parse((await run("list", "--json")).text);
  expect(listed).toMatchObject([{ type: "pump.measured", keepDays: 4, forgets: false, by: "user:ada" }]);
  expect((await run("run", "--dry-run")).text).toMatch(/pump\.measured +20\S+Z +2\nNothing was changed\.$/);
  expect((await run("run")).text).toMatch(
    /^2 events of pump\.measured removed\. Purge \S+, recorded at position \d+\.$/,
  );
  expect((await run("run")).text).toBe("No event is older than the policy of its type.");
  expect((await run("remove", "pump.measured")).text).toBe("The events of pump.measured are kept.");
  expect(await run("remove", "pump.measured")).toMatchObject({
    code: EXIT.failed,
    errors: expect.stringContaining("have no policy"),
  });
});

it("warns of policies that TimescaleDB has for the log", async () => {
  const change = async (sql: string) => {
    const database = await openDatabase({ dataDirectory: join(dataDirectory, EMBEDDED_FOLDER) });
    await database.asOwner((owner) => owner.query(sql));
    await database.close();
  };
  await change("SELECT public.add_retention_policy('synap.events', interval '90 days')");
  const { code, text, errors } = await run("run", "--dry-run");
  expect(text).toBe("No type has a policy: all events are kept.");
  expect([code, errors]).toEqual([
    EXIT.done,
    expect.stringMatching(
      /^warning: Job \d+ of TimescaleDB drops chunks of synap\.events, with events of every type/,
    ),
  ]);
  await change("SELECT public.remove_retention_policy('synap.events')");
});

it.each([
  [["set", "pump.measured", "--reason", "x"], EXIT.usage, "--keep"],
  [["set", "pump.measured", "--keep", "90d"], EXIT.usage, "--reason"],
  [
    ["set", "pump.measured", "--keep", "90", "--reason", "x"],
    EXIT.usage,
    "a number of days from 1d to 36500d",
  ],
  [
    ["set", "pump.measured", "--keep", "0d", "--reason", "x"],
    EXIT.usage,
    "a number of days from 1d to 36500d",
  ],
  [["set", "pump.measure", "--keep", "90d", "--reason", "x"], EXIT.failed, 'did you mean "pump.measured"?'],
])("refuses %j", async (args, code, reason) => {
  expect(await run(...args)).toMatchObject({ code, errors: expect.stringContaining(reason) });
});
