import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate, openDatabase } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

const DAY_MS = 86_400_000;

describe("npx -y pnpm@12 compress", () => {
  let data: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "synap-compress-"));
  });
  afterAll(() => rm(data, { recursive: true, force: true }));

  const compress = async (...options: string[]) => {
    const command = runSynapCommand(["compress", "--data", data, ...options], {
      env: { DATABASE_URL: "" },
    });
    const code = await command.ended;
    return { code, stdout: command.stdout(), output: command.output() };
  };

  it("says so where there is no store", async () => {
    expect(await compress()).toMatchObject({
      code: 1,
      output: expect.stringContaining("There is no store"),
    });
  });

  it("compresses old days and leaves the last eight alone", async () => {
    const database = await openDatabase({ dataDirectory: join(data, "database") });
    await migrate(database);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const events = [20, 15, 2].flatMap((daysAgo) =>
      Array.from({ length: 500 }, () => ({
        ...createSynapEvent({ type: "note.creation.requested", data: { content: "Call Acme" } }),
        timestamp: new Date(Date.now() - daysAgo * DAY_MS).toISOString(),
      })),
    );
    await store.appendBatch(events, { timestamps: "backfill" });
    await database.close();

    const { code, stdout } = await compress();
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toEqual([
      expect.stringMatching(/MiB, [\d.]+ times smaller$/),
      expect.stringMatching(/MiB, [\d.]+ times smaller$/),
    ]);
    expect((await compress()).stdout).toMatch(/^Nothing to compress before /);
  });
});
