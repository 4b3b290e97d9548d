import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, migrate, openDatabase } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

describe("npx -y pnpm@12 verify", () => {
  let data: string;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "synap-verify-"));
  });
  afterAll(() => rm(data, { recursive: true, force: true }));

  const verify = async (...options: string[]) => {
    const command = runSynapCommand(["verify", "--data", data, ...options], {
      env: { DATABASE_URL: "" },
    });
    const code = await command.ended;
    return { code, stdout: command.stdout(), output: command.output() };
  };
  const inDatabase = async (work: (database: Database) => Promise<unknown>) => {
    const database = await openDatabase({ dataDirectory: join(data, "database") });
    try {
      await work(database);
    } finally {
      await database.close();
    }
  };

  it("says so where there is no store", async () => {
    expect(await verify()).toMatchObject({
      code: 1,
      output: expect.stringContaining("has no hash chain yet"),
    });
  });

  it("refuses a head that is none", async () => {
    expect(await verify("--expect", "12")).toMatchObject({
      code: 2,
      output: expect.stringContaining("a block number and 64 hexadecimal digits"),
    });
  });

  it("verifies what is stored, finds what was changed past Synap, and a chain that is not the one before", async () => {
    await inDatabase(async (database) => {
      await migrate(database);
      const store = createEventStore({ database, catalogue: seedCatalogue });
      const note = () =>
        createSynapEvent({ type: "note.creation.requested", data: { content: "Call Acme" } });
      await store.appendBatch(Array.from({ length: 500 }, note));
    });
    const first = await verify();
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^500 events in 1 block up to position \d+, verified in [^\n]+\nno fault\nhead 1:[0-9a-f]{64}\n$/,
      ),
    });
    const head = /^head (.*)$/m.exec(first.stdout)?.[1] ?? "";
    expect((await verify("--expect", head)).code).toBe(0);
    const [block, hash = ""] = head.split(":");
    const other = `${block}:${[...hash].reverse().join("")}`;
    expect(await verify("--expect", other)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("head-differs: Block 1 has the hash"),
    });

    await inDatabase((database) =>
      database.asOwner((owner) =>
        owner.execute(`SET LOCAL synap.purge = 'on'; UPDATE synap.events SET data = '{"content": "forged"}'
                        WHERE "position" = (SELECT min("position") FROM synap.events)`),
      ),
    );
    expect(await verify()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/events-changed: The content of 500 events after position 0 up to \d+/),
      output: expect.stringContaining("The log differs from its hash chain in 1 place."),
    });
    const { code, stdout } = await verify("--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      faultCount: 1,
      faults: [{ kind: "events-changed", block: 1, expected: 500, found: 500 }],
    });
  });
});
