import { createEventStore, syncEventTypes } from "@synap/database/internal";
import { createTestDatabase } from "@synap/database/testing";
import { createEventCatalogue, defineEventType } from "@synap/types";
import { expect, it } from "vitest";
import { z } from "zod";
import { checkCorpus } from "./check-corpus.ts";
import { describeCorpus } from "./describe-checks.ts";

const name = "order.placed";
const description = "A customer placed an order.";
const first = z.strictObject({ total: z.number() });
const released = createEventCatalogue([
  defineEventType({ name, description, schema: first, example: { total: 1 } }),
]);
const changed = createEventCatalogue([
  defineEventType({
    name,
    description,
    version: 2,
    schema: z.strictObject({ cents: z.int().max(100_000) }),
    example: { cents: 1 },
    upcast: {
      1: {
        schema: first,
        up({ total }) {
          if (total < 0) throw new RangeError("below zero");
          return { cents: Math.round(total * 100) };
        },
      },
    },
  }),
]);

it("stored events that the code can't read are counted by version, and named without their values", async () => {
  const { database, drop } = await createTestDatabase("embedded", "migrated");
  try {
    await syncEventTypes(database, released);
    const events = [1, 2, -3, 4, 123_456].map((total) =>
      released.createSynapEvent({ type: name, data: { total } }),
    );
    await createEventStore({ database, catalogue: released }).appendBatch(events);
    expect(await checkCorpus(database, released, 10)).toEqual([
      { type: name, schemaVersion: 1, events: 5, checked: 5, failed: 0, faults: [] },
    ]);
    const corpus = await checkCorpus(database, changed, 10);
    expect(corpus).toMatchObject([{ type: name, schemaVersion: 1, events: 5, checked: 5, failed: 2 }]);
    const report = describeCorpus(corpus);
    expect(report).toContain(`| \`${name}\` | 1 | 5 | 5 | 2 |`);
    expect(report).toContain(`- ${events[2]?.id}, as a whole: its step from version 1 threw: below zero`);
    expect(report).toContain(`- ${events[4]?.id}, \`/cents\`: `);
    expect(report).not.toContain("123456");
    const sealed = defineEventType({
      name,
      description,
      schema: z.strictObject({
        userId: z.string(),
        name: z.string().meta({ personal: { subject: "userId" } }),
      }),
      example: { userId: "ada", name: "Ada" },
    });
    const personal = await checkCorpus(database, createEventCatalogue([sealed]), 1);
    expect(personal).toMatchObject([{ checked: 0, failed: 0, sealed: true }]);
    expect(describeCorpus(personal)).toContain(`| \`${name}\` | 1 | 5 | sealed | 0 |`);
    // The oldest, the newest, and one at a random moment, which may be one of these.
    const [unknown] = await checkCorpus(database, createEventCatalogue([]), 1);
    expect([2, 3]).toContain(unknown?.checked);
    expect(unknown).toMatchObject({ failed: unknown?.checked, events: 5 });
    expect(unknown?.faults[0]?.reason).toBe("the code doesn't have its type");
  } finally {
    await drop();
  }
});
