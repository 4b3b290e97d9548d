import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { describeEventStore } from "../../testing/contract/describe-event-store.ts";
import { createTestDatabase, type TestDatabase } from "../../testing/index.ts";
import { directly } from "../../testing/replica-url.ts";
import type { EventStore } from "../event-store.ts";
import { createEventStore } from "../internal.ts";
import { getStream } from "../reading/read-stream.ts";
import { createReplicaReads } from "./event-reads.ts";
import { openReplica, type Replica } from "./open-replica.ts";
import { withOwnAppends } from "./own-appends.ts";
import type { ReadPoint } from "./read-point.ts";

// Whoever appends and reads at one point can't tell a store with a replica from one without.
describe.runIf(directly.isThere)("a store that reads from a replica", () => {
  let test: TestDatabase;
  let replica: Replica;
  beforeAll(async () => {
    test = await createTestDatabase("server");
    const logger = { info: () => {}, warn: () => {}, error: () => {} };
    replica = await openReplica(test.database, {
      url: directly.url(test),
      maxWait: 30_000,
      maxLag: 120_000,
      maxSilence: 60_000,
      logger,
    });
    // The database is new there, too.
    await vi.waitFor(() => expect(replica.state()).toMatchObject({ inUse: true }), 60_000);
  });
  afterAll(async () => {
    await replica?.close();
    await test.drop();
  });

  describeEventStore({
    create(): EventStore {
      const point: ReadPoint = { position: 0 };
      const { database } = test;
      const store = createEventStore({ database, catalogue: seedCatalogue });
      const reads = createReplicaReads(database, store, replica);
      return {
        ...withOwnAppends(store, point),
        // Closing is no event, so a point does not cover it: whoever reads then has to wait for replay.
        async closeStream(stream, ...close) {
          await store.closeStream(stream, ...close);
          const shown = () =>
            replica.read({}, async (session) => ({ answer: await getStream(session, stream) }));
          await vi.waitFor(async () => expect((await shown())?.answer?.closedAt).toBeDefined(), 60_000);
        },
        getById: (id) => reads.getById(id, { point }),
        query: (filter, page) => reads.query(filter, { ...page, point }),
        getStream: (stream, options) => reads.getStream(stream, { ...options, point }),
        readStream: (stream, read) => reads.readStream(stream, { ...read, point }),
        readStreamPage: (stream, read) => reads.readStreamPage(stream, { ...read, point }),
        // A subscription has no point: it begins with what the replica has, which may lack the latest appends.
        subscribeToAll(request) {
          const batches = reads.subscribeToAll(request);
          return {
            async *[Symbol.asyncIterator]() {
              await reads.query({}, { limit: 1, order: "desc", point });
              yield* batches;
            },
          };
        },
      };
    },
  });
});
