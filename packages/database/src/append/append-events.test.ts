import { randomUUID } from "node:crypto";
import type { SynapEvent } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";

interface Row {
  readonly status: string;
  readonly position: number | null;
  readonly stream_version: number | null;
}

// What an append promises is in the contract (testing/contract); this is what the SQL function itself says to its callers.
describeOnEveryEngine("append_events", (engine) => {
  const append = (
    events: readonly SynapEvent[],
    ...expectations: { id: string; expected: string | number }[]
  ) =>
    engine.database.query<Row>(
      'SELECT status, "position", stream_version FROM synap.append_events($1::text::jsonb, $2::text::jsonb)',
      [
        JSON.stringify(events),
        JSON.stringify(
          expectations.map(({ id, expected }) => ({ aggregateType: "note", aggregateId: id, expected })),
        ),
      ],
    );
  const conflict = (expected: string | number, actual: number) => ({
    code: "SY001",
    detail: expect.stringMatching(new RegExp(`"actual": ${actual}, "expected": "?${expected}"?,`)),
  });
  const stream = async (length: number): Promise<string> => {
    const id = randomUUID();
    if (length > 0) await append(noteEvents(length, () => ({ aggregateId: id })));
    return id;
  };

  it.each([
    ["no-stream", 2],
    ["stream-exists", 0],
    [1, 2],
    [3, 2],
    [1, 0],
  ])("refuses %s for a stream at version %i, names both, and stores nothing", async (expected, actual) => {
    const id = await stream(actual);
    await expect(append([noteEvent({ aggregateId: id })], { id, expected })).rejects.toMatchObject(
      conflict(expected, actual),
    );
    const rows = await engine.database.query("SELECT version FROM synap.streams WHERE aggregate_id = $1", [
      id,
    ]);
    expect(rows).toEqual(actual === 0 ? [] : [{ version: actual }]);
  });

  it("refuses the events of a closed stream and takes the others", async () => {
    const [closed, open] = [await stream(1), await stream(1)];
    await engine.database.query("SELECT synap.close_stream('note', $1, '1')", [closed]);
    const rows = await append([noteEvent({ aggregateId: closed }), noteEvent({ aggregateId: open })]);
    expect(rows).toMatchObject([{ status: "closed" }, { status: "stored", stream_version: 2 }]);
  });

  describe("and no more than 1,024 events", () => {
    it("takes 1,024 and refuses 1,025", async () => {
      const id = await stream(0);
      const events = noteEvents(1025, () => ({ aggregateId: id }));
      await expect(append(events)).rejects.toMatchObject({ code: "SY003" });
      const rows = await append(events.slice(1));
      expect((rows.at(-1)?.position ?? 0) % 1024).toBe(1023);
    });
  });
});
