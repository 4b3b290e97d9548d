import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { MAX_PAGE_BYTES } from "../index.ts";
import { listDeadLetters, pageDeadLetters, recordDeadLetter } from "../internal.ts";

/** 24 events of this size fill two pages of 4 MiB. */
const EVENT_BYTES = 300_000;

describeOnEveryEngine("dead letters of large events", (engine) => {
  it("are returned in pages of at most 4 MiB plus one dead letter, without omission", async () => {
    const { database } = engine;
    const handler = `large-${randomUUID()}`;
    const ids: number[] = [];
    for (let index = 0; index < 24; index += 1) {
      const event = { id: randomUUID(), data: { content: "x".repeat(EVENT_BYTES) } };
      const deadLetter = { handler, event, code: "failed", reason: "no", attempts: 1 };
      ids.push((await recordDeadLetter(database, deadLetter)).id);
    }
    const read: number[] = [];
    let pages = 0;
    for (let before: number | undefined, isCut = true; isCut; pages += 1) {
      const page = await pageDeadLetters(database, { handler, before, limit: 1_000 });
      const bytes = page.deadLetters.reduce((sum, { event }) => sum + JSON.stringify(event).length, 0);
      expect(bytes).toBeLessThan(MAX_PAGE_BYTES + EVENT_BYTES + 1_000);
      read.push(...page.deadLetters.map(({ id }) => id));
      before = read.at(-1);
      isCut = page.isCut;
    }
    expect(read).toEqual(ids.toReversed());
    expect(pages).toBe(2);

    expect(await pageDeadLetters(database, { handler, limit: 2 })).toMatchObject({
      deadLetters: [{ id: ids.at(-1) }, { id: ids.at(-2) }],
      isCut: true,
    });
    expect(await listDeadLetters(database, { handler, maxBytes: 1 })).toMatchObject([{ id: ids.at(-1) }]);
    expect(await pageDeadLetters(database, { handler, before: ids[1] })).toMatchObject({
      deadLetters: [{ id: ids[0] }],
      isCut: false,
    });
    await expect(listDeadLetters(database, { maxBytes: 0 })).rejects.toThrow(RangeError);
  });
});
