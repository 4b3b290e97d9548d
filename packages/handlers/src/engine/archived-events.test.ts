import { dueChunks, saveCheckpoint } from "@synap/database/internal";
import {
  AFTER_ALL,
  type ArchiveInMemory,
  archiveInto,
  describeOnEveryEngine,
  keepUp,
  restoreFrom,
} from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { expect, it, vi } from "vitest";
import { createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher } from "./event-dispatcher.ts";
import { HandlerRunner } from "./handler-runner.ts";

describeOnEveryEngine("a handler whose next event is archived", (engine) => {
  it("has the events before it, waits, says what is missing, and goes on after the restore", async () => {
    const { database } = engine;
    await createSeenTable(database);
    const handler = seeing("behind");
    const backoff = { firstMs: 5, maxMs: 20 };
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers: [handler],
      backoff,
    });
    const events = ["2024-01-01", "2024-01-02", "2024-01-03"].map((day) =>
      createSynapEvent({
        type: "note.creation.completed",
        data: { content: "Call Acme" },
        timestamp: `${day}T08:00:00.000Z`,
      }),
    );
    for (const event of events) await dispatcher.store.append(event, { timestamps: "backfill" });
    await keepUp(database);
    const archive: ArchiveInMemory = new Map();
    const [, { chunk } = { chunk: "" }] = await dueChunks(database, AFTER_ALL);
    await archiveInto(archive, database, chunk);
    await database.transaction((transaction) => saveCheckpoint(transaction, "behind", 0));

    const reasons: string[] = [];
    const log = (about: object, message: string) =>
      void reasons.push(JSON.stringify([about, message, String((about as { err?: unknown }).err)]));
    const logger = { info: log, warn: log, error: log };
    const runner = new HandlerRunner({ dispatcher, database, logger, backoff, pollIntervalMs: 20 });
    runner.start();
    const ids = events.map(({ id }) => id);
    const options = { timeout: 60_000, interval: 20 };
    await vi.waitFor(() => expect(reasons.join()).toContain(chunk), options);
    expect(await seenBy(database, "behind")).toEqual(ids.slice(0, 1));
    await restoreFrom(archive, database, chunk);
    await vi.waitFor(
      async () => expect((await seenBy(database, "behind")).slice(0, 3)).toEqual(ids),
      options,
    );
    await runner.stop();
  });
});
