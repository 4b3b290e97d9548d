/** Laws of `EventReader`: those of `createSynap`, and those of the client over HTTP. */

import {
  type AppendableEvent,
  type EventReader,
  type StoredEventIn,
  type StreamName,
  seedCatalogue,
} from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

type Types = NonNullable<(typeof seedCatalogue)["eventTypes"]>;

/** A reader, and a way to store what it reads. */
export interface ReaderUnderTest extends EventReader<Types> {
  append(stream: StreamName, events: readonly AppendableEvent<Types>[]): Promise<unknown>;
}

const PRICES = 5;
const product = (id: string): StreamName => ({ aggregateType: "product", aggregateId: id });

function priced(newPrice: number): AppendableEvent<Types> {
  const data = { oldPrice: newPrice - 1, newPrice, currency: "EUR", reason: "a test" };
  return { type: "product.price_changed", data };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Runs the laws against a reader on a new store. */
export function describeEventReader(
  name: string,
  open: () => Promise<{ readonly reader: ReaderUnderTest; close(): Promise<void> }>,
): void {
  describe(`the event reader ${name}`, () => {
    let reader: ReaderUnderTest;
    let close: () => Promise<void>;
    let stored: StoredEventIn<Types, "product.price_changed">[];
    beforeAll(async () => {
      ({ reader, close } = await open());
      await reader.append(
        product("pump"),
        Array.from({ length: PRICES }, (_, index) => priced(index + 1)),
      );
      await reader.append(product("valve"), [priced(9)]);
      await reader.append({ aggregateType: "customer", aggregateId: "ada" }, [
        { type: "customer.profile_updated", data: { changes: { name: "Ada" } } },
      ]);
      stored = await all(reader.query({ type: "product.price_changed", aggregateId: "pump", order: "asc" }));
    });
    afterAll(() => close());

    const prices = (events: readonly StoredEventIn<Types, "product.price_changed">[]) =>
      events.map(({ data }) => data.newPrice);

    it("finds events by what they have, page by page, in both directions", async () => {
      const query = { type: "product.price_changed", aggregateId: "pump", pageSize: 2 } as const;
      expect(prices(await all(reader.query({ ...query, order: "asc" })))).toEqual([1, 2, 3, 4, 5]);
      expect(prices(await all(reader.query(query)))).toEqual([5, 4, 3, 2, 1]);
      expect(await all(reader.query({ aggregateType: "product" }))).toHaveLength(PRICES + 1);
      expect(await all(reader.query())).toHaveLength(PRICES + 2);
    });

    it("finds events by when they happened, with either form of a moment", async () => {
      const { timestamp } = stored[0] ?? { timestamp: "" };
      const after = new Date(Date.parse(timestamp) + 1);
      expect(await all(reader.query({ to: timestamp }))).toEqual([]);
      expect(
        await all(reader.query({ from: timestamp, aggregateId: "pump", to: after.toISOString() })),
      ).not.toEqual([]);
      expect(await all(reader.query({ from: new Date(Date.now() + 60_000) }))).toEqual([]);
    });

    it("finds events by who made them, what caused them, when they were stored and what they hold", async () => {
      const type = "product.price_changed";
      const cause = stored[0]?.id ?? "";
      await reader.append(product("gasket"), [
        {
          ...priced(7),
          createdBy: "agent:pricing",
          source: "a-source",
          causationId: cause,
          validFrom: "2030-01-01T00:00:00.000Z",
          validTo: "2031-01-01T00:00:00.000Z",
        },
      ]);
      const found = async (query: Parameters<typeof reader.query>[0]) =>
        (await all(reader.query(query))).map(({ aggregateId }) => aggregateId);
      for (const query of [
        { createdBy: "agent:pricing" },
        { causationId: cause },
        { type, source: "a-source" },
        { aggregateType: "product", data: { newPrice: 7, reason: "a test" } },
        { createdBy: "agent:pricing", validAt: "2030-06-01T00:00:00Z" },
        { recordedFrom: new Date(Date.now() - 600_000), source: "a-source" },
      ] as const) {
        expect(await found(query), JSON.stringify(query)).toEqual(["gasket"]);
      }
      expect(await found({ createdBy: "agent:pricing", validAt: new Date() })).toEqual([]);
      expect(await found({ recordedTo: "2020-01-01T00:00:00Z" })).toEqual([]);
      await expect(reader.query({ data: { newPrice: 7 } }).next()).rejects.toThrow('"data" has no index');
      // @ts-expect-error the event type has no such field
      expect(await all(reader.query({ type, data: { newPrise: 7 } }))).toEqual([]);
    });

    it("has an event with those that it caused, and a flow as a tree", async () => {
      const causing = (id: string, causationId: string, correlationId: string, newPrice: number) => ({
        ...priced(newPrice),
        id,
        causationId,
        correlationId,
      });
      const idOf = (number: number) => `0190b5a8-7c00-7000-8000-00000000000${number}`;
      const origin = idOf(0);
      await reader.append(product("origin"), [{ ...priced(20), id: origin }]);
      await reader.append(product("effects"), [
        causing(idOf(1), origin, origin, 21),
        causing(idOf(2), origin, origin, 22),
        causing(idOf(3), idOf(1), origin, 23),
        // In a circle, and of a cause in no store.
        causing(idOf(4), idOf(5), origin, 24),
        causing(idOf(5), idOf(4), origin, 25),
        causing(idOf(6), idOf(9), origin, 26),
      ]);
      const whole = await reader.getEventWithCaused(origin);
      expect(whole?.event).toEqual(await reader.getEvent(origin));
      expect(whole?.caused.events.map(({ id }) => id)).toEqual([idOf(1), idOf(2)]);
      expect(whole?.caused.nextCursor).toBeUndefined();
      const part = await reader.getEventWithCaused(origin, { limit: 1 });
      expect(part?.caused.events.map(({ id }) => id)).toEqual([idOf(1)]);
      expect(part?.caused.nextCursor).toEqual(expect.any(String));
      expect(await reader.getEventWithCaused(idOf(9))).toBeUndefined();

      const trace = await reader.trace(origin);
      expect(trace?.nodes.map(({ depth, event }) => [depth, event.id])).toEqual(
        [
          [0, 0],
          [1, 1],
          [2, 3],
          [1, 2],
          [0, 6],
          [0, 4],
          [1, 5],
        ].map(([depth, number]) => [depth, idOf(number ?? 0)]),
      );
      const first = await reader.trace(origin, { limit: 4 });
      const rest = await reader.trace(origin, { limit: 4, cursor: first?.nextCursor });
      expect([first?.nodes.length, rest?.nodes.length, rest?.nextCursor]).toEqual([5, 2, undefined]);
      expect(await reader.trace("no such flow")).toBeUndefined();
    });

    it("refuses an empty list of types, and a misspelt one by a similar name", async () => {
      await expect(reader.query({ type: [] }).next()).rejects.toThrow(RangeError);
      await expect(reader.subscribe({ from: "start", type: [] }).next()).rejects.toThrow(RangeError);
      const misspelt: string = "product.price_chnged";
      await expect(reader.query({ type: misspelt as never }).next()).rejects.toThrow("product.price_changed");
      await expect(reader.query({ aggregateType: "prodct" }).next()).rejects.toThrow("product");
    });

    it("finds one event", async () => {
      const [first] = stored;
      expect(await reader.getEvent(first?.id ?? "")).toEqual(first);
      expect(await reader.getEvent("019aa000-0000-7000-8000-000000000001")).toBeUndefined();
    });

    it("reads a stream in a range of versions, in both directions", async () => {
      const versions = async (read: Parameters<typeof reader.readStream>[1]) =>
        (await all(reader.readStream(product("pump"), read))).map(({ streamVersion }) => streamVersion);
      expect(await versions({ pageSize: 2 })).toEqual([1, 2, 3, 4, 5]);
      expect(await versions({ fromVersion: 2, toVersion: 4 })).toEqual([2, 3, 4]);
      expect(await versions({ direction: "backwards", pageSize: 2 })).toEqual([5, 4, 3, 2, 1]);
      expect(await all(reader.readStream(product("none")))).toEqual([]);
    });

    it("has the history of an aggregate, page by page, the oldest first", async () => {
      const history = await all(reader.history(product("pump"), { pageSize: 2 }));
      expect(history).toEqual(stored);
      expect(await all(reader.history(product("none")))).toEqual([]);
    });

    it("describes the event types, sorted by name, page by page, and one by its name", async () => {
      const types = await all(reader.eventTypes({ pageSize: 7 }));
      expect(types.map(({ name }) => name)).toEqual(seedCatalogue.types.map(({ name }) => name).sort());
      const requested = seedCatalogue.get("note.creation.requested");
      expect(await reader.getEventType("note.creation.requested")).toEqual({
        name: requested?.name,
        aggregateType: "note",
        schemaVersion: 1,
        earlierSchemas: [],
        description: requested?.description,
        versions: ["v1"],
        jsonSchema: requested?.jsonSchema,
        example: requested?.example,
      });
      expect(types).toContainEqual(await reader.getEventType("note.creation.requested"));
      expect(await reader.getEventType("note.creation.requestd")).toBeUndefined();
    });

    it("has a stream's version", async () => {
      expect(await reader.getStream(product("pump"))).toEqual({ streamVersion: PRICES });
      expect(await reader.getStream(product("none"))).toBeUndefined();
    });

    it("subscribes from the start, from a position and to what comes", async () => {
      const type = "product.price_changed";
      const stream = product("pump");
      const first = async (from: "start" | number, count: number) => {
        const found: number[] = [];
        for await (const { data } of reader.subscribe({ from, type, stream })) {
          if (found.push(data.newPrice) === count) break;
        }
        return found;
      };
      expect(await first("start", PRICES)).toEqual([1, 2, 3, 4, 5]);
      expect(await first(stored[2]?.position ?? 0, 2)).toEqual([4, 5]);
      const coming = first(stored.at(-1)?.position ?? 0, 1);
      await reader.append(stream, [priced(6)]);
      expect(await coming).toEqual([6]);
    });

    it("reports the progress of a subscription, past events that don't match", async () => {
      const end = new AbortController();
      const position = await new Promise<number>((resolve, reject) => {
        const subscription = reader.subscribe({
          from: "start",
          type: "customer.profile_updated",
          signal: end.signal,
          onProgress: (progress) => {
            if (progress.caughtUp) resolve(progress.position);
          },
        });
        all(subscription).catch((error: unknown) => {
          if (!end.signal.aborted) reject(error);
        });
      });
      end.abort();
      expect(position).toBeGreaterThanOrEqual(stored.at(-1)?.position ?? Number.POSITIVE_INFINITY);
    });

    it("ends with the reason of its signal", async () => {
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(reader.getEvent(stored[0]?.id ?? "", { signal })).rejects.toThrow("enough");
      await expect(reader.query({ signal }).next()).rejects.toThrow("enough");
      await expect(reader.readStream(product("pump"), { signal }).next()).rejects.toThrow("enough");
      await expect(reader.history(product("pump"), { signal }).next()).rejects.toThrow("enough");
      await expect(reader.getEventWithCaused(stored[0]?.id ?? "", { signal })).rejects.toThrow("enough");
      await expect(reader.trace("flow", { signal })).rejects.toThrow("enough");
      await expect(reader.eventTypes({ signal }).next()).rejects.toThrow("enough");
      await expect(reader.getEventType("note.creation.requested", { signal })).rejects.toThrow("enough");
      await expect(reader.getStream(product("pump"), { signal })).rejects.toThrow("enough");
      await expect(reader.subscribe({ signal }).next()).rejects.toThrow("enough");
      const later = new AbortController();
      const waiting = reader
        .subscribe({ from: "now", type: "customer.profile_updated", signal: later.signal })
        .next();
      later.abort(new Error("later"));
      await expect(waiting).rejects.toThrow("later");
    });
  });
}
