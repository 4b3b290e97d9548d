import { createHash } from "node:crypto";
import { type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine, type TestEngine } from "../../testing/index.ts";
import { noteEvents } from "../../testing/test-events.ts";
import type { Transaction } from "../index.ts";
import { compressEvents, createEventStore } from "../internal.ts";
import type { ChainFault } from "./chain-fault.ts";
import { chainStatus } from "./chain-status.ts";
import { extendChain } from "./extend-chain.ts";
import { missingChunks } from "./missing-chunks.ts";
import { type ChainCheck, type ChainReport, verifyChain } from "./verify-chain.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2024, 0, 1);

/** Turns off what refuses changes of events, as only the owner can. */
const UNGUARDED = "SET LOCAL synap.purge = 'on'";

/** Events of three days, one chunk each. */
const threeDays = (count: number): SynapEvent[] =>
  noteEvents(count, (index) => ({
    timestamp: new Date(MONDAY + index * Math.floor((3 * DAY_MS) / count)).toISOString(),
    ...(index % 3 === 0 && { metadata: { place: index, nested: [null, 1.5, "\u00fc"] } }),
    ...(index % 4 === 0 && { userId: `user-${index % 2}`, correlationId: "flow" }),
  }));

async function append({ database }: TestEngine, events: readonly SynapEvent[]): Promise<void> {
  const store = createEventStore({ database, catalogue: seedCatalogue });
  await store.appendBatch(events, { timestamps: "backfill" });
}

/** Extends the chain to the watermark, in blocks of at most so many events. */
async function extend({ database }: TestEngine, most: number): Promise<void> {
  for (let more = true; more; ) {
    const [row] = await database.query<{ more: boolean }>("SELECT synap.extend_chain($1) AS more", [most]);
    more = row?.more ?? false;
  }
}

/** Verifies the chain in a transaction of the owner after a change, and takes the change back. */
async function verifyAfter(
  { database }: TestEngine,
  change: (owner: Transaction) => Promise<unknown>,
  check?: ChainCheck,
): Promise<ChainReport> {
  let report: ChainReport | undefined;
  await database
    .asOwner(async (owner) => {
      await change(owner);
      report = await verifyChain(owner, check);
      throw new TakenBackError();
    })
    .catch((error: unknown) => {
      if (!(error instanceof TakenBackError)) throw error;
    });
  if (report === undefined) throw new Error("The chain was not verified.");
  return report;
}

class TakenBackError extends Error {}

/** The chunk of events that has the nth day of the three. */
async function chunkOf(owner: Transaction, day: number): Promise<string> {
  const [row] = await owner.query<{ chunk: string }>(
    `SELECT e.tableoid::regclass::text AS chunk FROM synap.events AS e WHERE e."timestamp" >= $1 AND e."timestamp" < $2 LIMIT 1`,
    [new Date(MONDAY + day * DAY_MS), new Date(MONDAY + (day + 1) * DAY_MS)],
  );
  return row?.chunk ?? "";
}

const kindsOf = ({ faults }: ChainReport) => faults.map(({ kind }) => kind);

describeOnEveryEngine("the hash chain over the log", (engine) => {
  it("is empty before the first event", async () => {
    expect(await verifyChain(engine.database)).toMatchObject({
      head: { block: 0 },
      position: 0,
      events: 0,
      faultCount: 0,
    });
  });

  it("has every event up to the watermark, and is verified without a fault", async () => {
    await append(engine, threeDays(300));
    await append(engine, noteEvents(50));
    expect(await chainStatus(engine.database)).toMatchObject({ block: 0, lag: 350 });
    expect(await extendChain(engine.database)).toBe(false);
    const { position, head, ...report } = await verifyChain(engine.database);
    expect(report).toEqual({
      events: 350,
      archived: { chunks: 0, events: 0 },
      faultCount: 0,
      faults: [],
      lag: 0,
    });
    expect(await chainStatus(engine.database)).toMatchObject({
      block: 1,
      hash: head.hash,
      position,
      lag: 0,
      verified: { position, events: 350, faults: 0 },
    });
  });
});

describeOnEveryEngine("verifying the hash chain", (engine) => {
  let ready: Promise<void> | undefined;
  /** A log of two appends in blocks of their own, and a third block. */
  const prepare = () => {
    ready ??= (async () => {
      await append(engine, threeDays(240));
      await extend(engine, 100);
      await append(engine, threeDays(60));
      await extend(engine, 100);
      await append(engine, threeDays(3));
      await extend(engine, 100);
    })();
    return ready;
  };
  const after = async (change: (owner: Transaction) => Promise<unknown>, check?: ChainCheck) => {
    await prepare();
    return verifyAfter(engine, change, check);
  };
  const sql = (statement: string) => (owner: Transaction) => owner.execute(statement);
  const inChunk =
    (statement: (chunk: string) => string, day = 1) =>
    async (owner: Transaction) => {
      const chunk = await chunkOf(owner, day);
      await owner.execute(`${UNGUARDED}; ${statement(chunk)}`);
    };
  const one = (chunk: string, more = "") => `ctid = (SELECT min(ctid) FROM ${chunk} ${more})`;

  it("finds nothing where nothing was changed", async () => {
    expect(kindsOf(await after(async () => undefined))).toEqual([]);
  });

  it.each([
    ["data", `data = data || '{"content": "forged"}'`],
    ["the type", "type = 'task.created'"],
    ["the actor", "created_by = 'user:mallory'"],
    ["the user", "user_id = 'mallory'"],
    ["the metadata", `metadata = '{"forged": true}'`],
    ["the version within the stream", "stream_version = stream_version + 100"],
    ["the moment at which it was recorded", "recorded_at = recorded_at + interval '1 ms'"],
    ["the id", "id = gen_random_uuid()"],
    ["the version of its schema", "schema_version = 2"],
  ])("finds the block of one event of which %s was changed", async (_, change) => {
    const { faults } = await after(inChunk((chunk) => `UPDATE ${chunk} SET ${change} WHERE ${one(chunk)}`));
    expect(faults).toEqual<ChainFault[]>([
      expect.objectContaining({ kind: "events-changed", block: 1, expected: 240, found: 240 }),
    ]);
  });

  it("finds the block and the chunk of an event that was removed", async () => {
    const report = await after(inChunk((chunk) => `DELETE FROM ${chunk} WHERE ${one(chunk)}`));
    expect(report.faults).toEqual([
      expect.objectContaining({ kind: "events-missing", block: 1, expected: 240, found: 239 }),
      expect.objectContaining({ kind: "chunk-differs", expected: 101, found: 100 }),
    ]);
  });

  const copy = (chunk: string, position: string, moment: string) =>
    `INSERT INTO ${chunk} SELECT (jsonb_populate_record(e, jsonb_build_object(
       'position', ${position}, 'timestamp', ${moment}, 'id', gen_random_uuid()))).* FROM ${chunk} AS e WHERE ${one(chunk)}`;

  it("has the version that an event was written with; without one, the digest from before there were versions", async () => {
    const event = {
      position: 1024,
      stream_version: 1,
      timestamp: "2026-01-01T00:00:00Z",
      id: "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f01",
      version: "v1",
      data: { a: 1 },
    };
    const nulls = (count: number) => Array.from({ length: count }, () => "null").join(", ");
    const text = `[1024, 1, 1767225600000, ${nulls(3)}, "${event.id}", null, "v1", ${nulls(9)}, {"a": 1}, null]`;
    for (const [schema_version, more] of [
      [null, ""],
      [2, '{"schemaVersion" : 2}'],
    ] as const) {
      const [row] = await engine.database.query<{ digest: string }>(
        `SELECT encode(synap.event_digest(json_populate_record(NULL::synap.events, $1::text::json)), 'hex') AS digest`,
        [JSON.stringify({ ...event, schema_version })],
      );
      expect(row?.digest).toBe(
        createHash("sha256")
          .update(text + more)
          .digest("hex"),
      );
    }
  });

  it("finds an event that was put between others", async () => {
    const report = await after(inChunk((chunk) => copy(chunk, 'e."position" + 500', 'e."timestamp"')));
    expect(kindsOf(report)).toEqual(["events-added", "chunk-differs"]);
  });

  it("finds an event that was put outside of the time of every block", async () => {
    const late = `'2024-01-03T23:59:59.999Z'::timestamptz`;
    const report = await after(inChunk((chunk) => copy(chunk, 'e."position" + 500', late), 2));
    expect(kindsOf(report)).toEqual(["chunk-differs"]);
  });

  it("finds a chunk that was dropped, as the status does without reading events", async () => {
    let missing: unknown;
    const report = await after(async (owner) => {
      await owner.execute(`DROP TABLE ${await chunkOf(owner, 1)}`);
      missing = await missingChunks(owner);
    });
    expect(missing).toEqual([expect.objectContaining({ events: 101 })]);
    expect(kindsOf(report)).toEqual(["events-missing", "events-missing", "events-missing", "chunk-missing"]);
  });

  it("finds a chunk that was dropped, and made anew by a later event", async () => {
    const report = await after(async (owner) => {
      const chunk = await chunkOf(owner, 1);
      const [kept] = await owner.query<{ row: object }>(
        `SELECT to_jsonb(e) AS row FROM ${chunk} AS e LIMIT 1`,
      );
      await owner.execute(`DROP TABLE ${chunk}`);
      await owner.query(
        `INSERT INTO synap.events SELECT (jsonb_populate_record(NULL::synap.events, $1::text::jsonb || '{"position": 99999999}')).*`,
        [JSON.stringify(kept?.row)],
      );
      expect(await missingChunks(owner)).toHaveLength(1);
    });
    expect(kindsOf(report)).toContain("chunk-missing");
  });

  it.each([
    ["a block that was changed", "UPDATE synap.chain_blocks SET events = events - 1 WHERE number = 2"],
    [
      "a digest that was changed with its events",
      "UPDATE synap.chain_blocks SET digest = sha256('forged') WHERE number = 2",
    ],
    ["a hash that was changed", "UPDATE synap.chain_blocks SET hash = sha256('forged') WHERE number = 2"],
  ])("finds %s", async (_, statement) => {
    expect(kindsOf(await after(sql(statement)))).toContain("block-changed");
  });

  it.each(["DELETE FROM synap.chain_blocks", "DELETE FROM synap.chain_end"])(
    "finds a fault after %s",
    async (change) => {
      expect(kindsOf(await after(sql(change)))).toContain("block-missing");
    },
  );

  it.each([0, 1, 2, 3])("finds that block %i was removed", async (number) => {
    const { faults } = await after(sql(`DELETE FROM synap.chain_blocks WHERE number = ${number}`));
    expect(faults).toContainEqual(expect.objectContaining({ kind: "block-missing", block: number }));
  });

  it("finds a chain that was written anew by the hash that was kept elsewhere, and only by that", async () => {
    await prepare();
    const { head } = await verifyChain(engine.database);
    const rewrite = async (owner: Transaction) => {
      await inChunk((chunk) => `UPDATE ${chunk} SET source = 'forged' WHERE ${one(chunk)}`)(owner);
      await owner.execute(`
        DELETE FROM synap.chain_blocks WHERE number > 0;
        DELETE FROM synap.chained_chunks;
        UPDATE synap.chain_end SET number = 0;
        SELECT synap.extend_chain(1), synap.extend_chain(1), synap.extend_chain(1);`);
    };
    expect(kindsOf(await after(rewrite))).toEqual([]);
    const { faults } = await after(rewrite, { expected: head });
    expect(faults).toEqual([expect.objectContaining({ kind: "head-differs", block: head.block })]);
    expect(kindsOf(await after(async () => undefined, { expected: head }))).toEqual([]);
    const unknown = { expected: { ...head, block: head.block + 1 } };
    expect(kindsOf(await after(async () => undefined, unknown))).toEqual(["head-differs"]);
  });

  it("is not for the application to change", async () => {
    await prepare();
    const { database } = engine;
    for (const statement of [
      "DELETE FROM synap.chain_blocks",
      "UPDATE synap.chain_end SET number = 0",
      "UPDATE synap.chained_chunks SET events = 0",
      "DELETE FROM synap.chain_verifications",
      "INSERT INTO synap.chain_blocks SELECT * FROM synap.chain_blocks",
    ]) {
      await expect(database.query(statement)).rejects.toMatchObject({ code: "42501" });
    }
  });

  it("does not depend on the settings of the session", async () => {
    const report = await after(
      sql("SET LOCAL timezone = 'Asia/Kathmandu'; SET LOCAL datestyle = 'German, DMY'"),
    );
    expect(kindsOf(report)).toEqual([]);
  });

  it("reads compressed chunks as before, and finds what was changed past them", async () => {
    await prepare();
    const { database } = engine;
    if (database.capabilities.edition !== "community") return;
    const before = new Date(MONDAY + 3 * DAY_MS);
    expect(await compressEvents(database, { before })).toHaveLength(3);
    expect(kindsOf(await after(async () => undefined))).toEqual([]);
    const report = await after(async (owner) =>
      owner.execute(`DROP TABLE ${await chunkOf(owner, 1)} CASCADE`),
    );
    expect(kindsOf(report)).toContain("chunk-missing");
    // A late event, which is beside the compressed ones until the next compression.
    await append(engine, threeDays(3));
    await extend(engine, 100);
    expect(kindsOf(await after(async () => undefined))).toEqual([]);
  });
});

describeOnEveryEngine("blocks of the hash chain", (engine) => {
  it("have every event once, whatever the sizes of appends and blocks, and no change of one stays unseen", async () => {
    let appended = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ events: fc.integer({ min: 1, max: 40 }), block: fc.integer({ min: 1, max: 60 }) }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        fc.nat(),
        async (steps, victim) => {
          for (const { events, block } of steps) {
            await append(engine, noteEvents(events));
            appended += events;
            if (block % 2 === 0) await extend(engine, block);
          }
          await extend(engine, 1_000);
          const { events, faults } = await verifyChain(engine.database);
          expect({ events, faults }).toEqual({ events: appended, faults: [] });
          const report = await verifyAfter(engine, async (owner) => {
            const [row] = await owner.query<{ chunk: string; id: string }>(
              `SELECT tableoid::regclass::text AS chunk, id FROM synap.events ORDER BY "position" OFFSET $1 LIMIT 1`,
              [victim % appended],
            );
            await owner.execute(`${UNGUARDED};
              UPDATE ${row?.chunk} SET source = source || '.' WHERE id = '${row?.id}'`);
          });
          expect(kindsOf(report)).toEqual(["events-changed"]);
        },
      ),
      { seed: SEED, numRuns: 15 },
    );
  });

  it("are added by one session at a time, while others append", async () => {
    const events = Array.from({ length: 20 }, () => noteEvents(10));
    await Promise.all([
      ...events.map((each) => append(engine, each)),
      ...Array.from({ length: 10 }, () => extendChain(engine.database)),
    ]);
    await extend(engine, 1_000);
    const report = await verifyChain(engine.database);
    expect({ faults: report.faults, lag: report.lag }).toEqual({ faults: [], lag: 0 });
  });
});
