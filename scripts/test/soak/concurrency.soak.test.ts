import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { describe, expect, it } from "vitest";
import { createTemporaryDatabase } from "../../src/performance/temporary-database.ts";
import { runStress, type StressOptions } from "../../src/stress/run-stress.ts";
import { stressCatalogue } from "../../src/stress/stress-events.ts";
import { reportAsText } from "../../src/stress/stress-report.ts";
import { countFaults } from "../../src/stress/stress-result.ts";
import { readWriterJournal } from "../../src/stress/writer-journal.ts";

const WRITERS = 8;
const SECONDS = 60;
const serverUrl = process.env["TEST_DATABASE_URL"];

describe.each([
  { engine: "embedded", url: undefined, killEvery: 12 },
  { engine: "server", url: serverUrl, killEvery: 3 },
])("eight writers for a minute ($engine)", ({ engine, url, killEvery }) => {
  it.skipIf(engine === "server" && url === undefined)("break no law of appending or reading", async () => {
    const directory = mkdtempSync(join(tmpdir(), "synap-soak-"));
    const { database, location, remove } = await createTemporaryDatabase(url, "soak");
    try {
      await database.close();
      const seed = Math.floor(Math.random() * 2 ** 32);
      const result = await runStress({
        location,
        directory,
        seconds: SECONDS,
        writers: WRITERS,
        readers: 4,
        killEvery,
        seed,
        sabotage: false,
      });
      console.log(reportAsText(result));
      expect(countFaults(result)).toBe(0);
      const { writers, kills } = result;
      expect(writers.refused, "streams were fought over").toBeGreaterThan(0);
      expect(writers.rolledBack).toBeGreaterThan(0);
      expect(writers.savepointsUndone).toBeGreaterThan(0);
      expect(kills.writers + kills.readers + kills.everybody).toBeGreaterThan(0);
      await checkEveryStream(location, directory);
    } finally {
      await remove();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

/**
 * Once more through the store's own API: every stream, read by version in both directions, is 1, 2, 3 ... n with
 * rising positions; every version that a writer won is that writer's event and nobody else's; and all
 * streams together are what is read from the start.
 */
async function checkEveryStream(location: StressOptions["location"], directory: string): Promise<void> {
  const database = await openDatabase(location);
  try {
    const store = createEventStore({ database, catalogue: stressCatalogue });
    const winners = new Map<string, string>();
    for (let writer = 1; writer <= WRITERS; writer += 1) {
      for (const line of readWriterJournal(join(directory, `writer-${writer}.ndjson`))) {
        if (!("acknowledged" in line)) continue;
        for (const { id, stream, version } of line.acknowledged) {
          expect(winners.get(`${stream} ${version}`) ?? id, "one winner for each version").toBe(id);
          winners.set(`${stream} ${version}`, id);
        }
      }
    }

    const order: string[] = [];
    let last = 0;
    for (let caughtUp = false; !caughtUp; ) {
      const page = await store.readAll({ after: last, limit: 10_000 });
      for (const { position, id } of page.events) {
        expect(position).toBeGreaterThan(last);
        last = position;
        order.push(id);
      }
      last = page.position;
      ({ caughtUp } = page);
    }

    const streams = await database.query<{ aggregateType: string; aggregateId: string; version: number }>(
      `SELECT aggregate_type AS "aggregateType", aggregate_id AS "aggregateId", version FROM synap.streams`,
    );
    const found: { position: number; id: string }[] = [];
    for (const { version, ...stream } of streams) {
      const forwards = await collect(store.readStream(stream));
      const backwards = await collect(store.readStream(stream, { direction: "backwards" }));
      expect(backwards.reverse().map(({ id }) => id)).toEqual(forwards.map(({ id }) => id));
      expect(forwards.map((event) => event.streamVersion)).toEqual(
        Array.from({ length: version }, (_, index) => index + 1),
      );
      const positions = forwards.map(({ position }) => position);
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      for (const { id, streamVersion } of forwards) {
        const winner = winners.get(`${stream.aggregateType}/${stream.aggregateId} ${streamVersion}`);
        expect(winner ?? id, "the winner has the version").toBe(id);
      }
      found.push(...forwards);
    }
    found.sort((a, b) => a.position - b.position);
    expect(found.map(({ id }) => id)).toEqual(order);
  } finally {
    await database.close();
  }
}

async function collect(events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
