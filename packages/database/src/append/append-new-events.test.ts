import { randomUUID } from "node:crypto";
import type { ExpectedVersion, SynapEvent } from "@synap/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import { appendNewEvents, groupByStream } from "./append-new-events.ts";

describeOnEveryEngine("append_new_events", (engine) => {
  const append = (events: readonly SynapEvent[]) => appendNewEvents(engine.database, events);
  const versionOf = async (id: string) => {
    const rows = await engine.database.query<{ version: number }>(
      "SELECT version FROM synap.streams WHERE aggregate_type = 'note' AND aggregate_id = $1",
      [id],
    );
    return rows[0]?.version;
  };

  it("numbers the versions of each stream, in any order of the streams", async () => {
    const ids = ["\u{1f600}", "\uffee", "b", "a"].map((name) => `${name}-${randomUUID()}`);
    await append([noteEvent({ aggregateId: ids[1] ?? "" })]);
    const order = [0, 1, 0, 2, 3, 1, 0];
    const appended = await append(order.map((stream) => noteEvent({ aggregateId: ids[stream] ?? "" })));
    expect(appended.map(({ outcome }) => outcome)).toMatchObject(
      [1, 2, 2, 1, 1, 3, 3].map((streamVersion) => ({ status: "stored", streamVersion })),
    );
    expect(await Promise.all(ids.map(versionOf))).toEqual([3, 3, 1, 1]);
  });

  it.each([
    ["a stored id", (stored: SynapEvent) => [noteEvent(), stored]],
    ["a repeated id", () => noteEvents(2, () => ({ id: "0190b5a8-7c00-7000-8000-00000000abcd" }))],
    [
      "a used idempotency key",
      (_: SynapEvent, key: string) => [noteEvent(), noteEvent({ idempotencyKey: key })],
    ],
    ["a repeated idempotency key", () => noteEvents(2, () => ({ idempotencyKey: "twice" }))],
  ])("refuses %s, and stores none of the other events", async (_, make) => {
    const key = randomUUID();
    const stored = noteEvent({ idempotencyKey: key });
    await append([stored]);
    const refused = make(stored, key);
    await expect(append(refused)).rejects.toMatchObject({ code: "23505" });
    const others = refused.map(({ id }) => id).filter((id) => id !== stored.id);
    const rows = await engine.database.query(
      "SELECT id FROM synap.events WHERE id::text IN (SELECT jsonb_array_elements_text($1::text::jsonb))",
      [JSON.stringify(others)],
    );
    expect(rows).toEqual([]);
  });

  it.each([
    [
      "a negative count, which would decrease a version",
      { events: [], counts: "{-2}", numbers: "{}", within: "{}" },
    ],
    ["a count above that of its events", { counts: "{2}" }],
    ["an index that is not the next one", { within: "{-5}" }],
    ["the index of a missing stream", { numbers: "{2}" }],
    ["bounds that exclude its event", { first: "{0}", last: "{0}" }],
    ["another stream than its event's", { stream: "another" }],
    ["another user than its event's", { user: "another" }],
    ["another actor than its event's", { creator: "user:another" }],
    ["no events", { events: [], counts: "{0}", numbers: "{}", within: "{}" }],
  ])("refuses %s, even from a login that may append", async (_, given) => {
    const id = randomUUID();
    await append([noteEvent({ aggregateId: id }), noteEvent({ aggregateId: id })]);
    const event = noteEvent({ aggregateId: id });
    const time = String(Date.parse(event.timestamp));
    const lie = {
      events: [event],
      counts: "{1}",
      numbers: "{1}",
      within: "{1}",
      first: `{${time}}`,
      last: `{${time}}`,
      user: undefined,
      creator: event.createdBy,
      ...given,
    };
    const call = engine.database.query(
      `SELECT number FROM synap.append_new_events(
         $1::text::json, '{note}', ARRAY[$2::text], $3::text::integer[], $4::text::bigint[], $5::text::bigint[],
         $6::text::integer[], $7::text::integer[], ARRAY[$8::text], ARRAY[$9::text])`,
      [
        JSON.stringify(lie.events),
        "stream" in lie ? `${id}-${lie.stream}` : id,
        lie.counts,
        lie.first,
        lie.last,
        lie.numbers,
        lie.within,
        lie.user ?? null,
        lie.creator,
      ],
    );
    await expect(call).rejects.toMatchObject({ code: "SY012" });
    expect(await versionOf(id)).toBe(2);
  });

  it.each(["0001-01-01T00:00:00.001Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"])(
    "accepts an event of %s, whose milliseconds a float of seconds can't represent",
    async (timestamp) => {
      const [appended] = await append([noteEvent({ timestamp })]);
      expect(appended?.outcome.status).toBe("stored");
    },
  );

  it("refuses the events of a closed stream", async () => {
    const id = randomUUID();
    await append([noteEvent({ aggregateId: id })]);
    await engine.database.query("SELECT synap.close_stream('note', $1, '1')", [id]);
    await expect(append([noteEvent(), noteEvent({ aggregateId: id })])).rejects.toMatchObject({
      code: "SY006",
    });
    expect(await versionOf(id)).toBe(1);
  });

  it("compares the version of a closed stream that receives no event", async () => {
    const id = randomUUID();
    await append([noteEvent({ aggregateId: id })]);
    await engine.database.query("SELECT synap.close_stream('note', $1, '1')", [id]);
    const compare = (expected: ExpectedVersion) =>
      appendNewEvents(engine.database, [noteEvent()], {
        expectations: [{ aggregateType: "note", aggregateId: id, expected }],
      });
    await expect(compare(2)).rejects.toMatchObject({ code: "SY001" });
    expect(await compare(1)).toHaveLength(1);
    expect(await versionOf(id)).toBe(1);
  });

  it("does not create a stream that was only compared", async () => {
    const id = randomUUID();
    const expectations = [{ aggregateType: "note", aggregateId: id, expected: "no-stream" as const }];
    expect(await appendNewEvents(engine.database, [noteEvent()], { expectations })).toHaveLength(1);
    expect(await versionOf(id)).toBeUndefined();
  });

  it("accepts 1,024 events and refuses 1,025", async () => {
    await expect(append(noteEvents(1025))).rejects.toMatchObject({ code: "SY003" });
    expect(await append(noteEvents(1024))).toHaveLength(1024);
  });
});

describe("the events of each stream", () => {
  it("are counted so that every event has a distinct index in its stream", () => {
    const events = fc.array(
      fc
        .record({ stream: fc.constantFrom("a", "b", "c"), day: fc.integer({ min: 1, max: 28 }) })
        .map(({ stream, day }) =>
          noteEvent({
            aggregateId: stream,
            timestamp: `2026-01-${String(day).padStart(2, "0")}T00:00:00.000Z`,
          }),
        ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(events, (list) => {
        const { streams, streamNumbers, ordinalsWithin } = groupByStream(list);
        for (const [index, { aggregateId, count, first, last }] of streams.entries()) {
          const own = list.filter((_, each) => streamNumbers[each] === index + 1);
          const times = own.map(({ timestamp }) => timestamp).sort();
          expect(new Set(own.map(({ aggregateId }) => aggregateId))).toEqual(new Set([aggregateId]));
          expect([first, last, count]).toEqual([times[0], times.at(-1), own.length]);
          expect(ordinalsWithin.filter((_, each) => streamNumbers[each] === index + 1)).toEqual(
            own.map((_, each) => each + 1),
          );
        }
      }),
    );
  });
});
