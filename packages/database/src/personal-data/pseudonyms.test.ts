import { createEventCatalogue, defineEventType, type SynapEvent } from "@synap/types";
import { expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { rewrapKeys } from "../erasure/rewrap-keys.ts";
import { createEventStore } from "../internal.ts";
import { createPersonalData } from "./personal-data.ts";
import { createSubjectKeys } from "./subject-keys.ts";
import { passingKeys } from "./wrapping.ts";

const personal = (subject: string, more: object = {}) => ({ personal: { subject, ...more } });
const findable = (subject: string) => z.string().meta(personal(subject, { lookup: true }));
const contacted = (name: `${string}.${string}`) =>
  defineEventType({
    name,
    description: "A person was contacted.",
    schema: z.strictObject({
      email: findable("userId"),
      note: z.string().meta(personal("userId")).optional(),
      guests: z.array(z.strictObject({ id: z.string(), phone: findable("id") })).optional(),
      age: z
        .int()
        .meta(personal("userId", { masked: 0, lookup: true }))
        .optional(),
      channel: z.string(),
    }),
    example: { email: "ada@example.org", channel: "mail" },
  });
const catalogue = createEventCatalogue([contacted("person.called"), contacted("person.written_to")]);

describeOnEveryEngine("a look-up by personal values", (engine) => {
  const provider = passingKeys();
  /** A process that has just started. */
  const started = () => {
    const { database } = engine;
    const personalData = createPersonalData(catalogue, createSubjectKeys({ database, provider }));
    return { personalData, store: createEventStore({ database, catalogue, personalData }) };
  };
  const append = async (data: Partial<Record<string, unknown>>, fields: Partial<SynapEvent> = {}) => {
    const event = catalogue.parseSynapEvent({
      ...catalogue.completeEvent({ type: "person.called", userId: "ada", ...fields, data: {} }),
      data: { email: "ada@example.org", channel: "phone", ...data },
    });
    expect(await started().store.append(event)).toMatchObject({ status: "stored" });
    return event.id;
  };
  const find = async (data: SynapEvent["data"], types: readonly string[] = ["person.called"]) => {
    const { personalData, store } = started();
    const { events } = await store.query(await personalData.lookUp({ types, data }), {
      limit: 100,
      order: "asc",
    });
    return events.map(({ id }) => id);
  };

  it("finds the events that have the value in the field, whoever's it is, and no others", async () => {
    const ada = await append({ email: "shared@example.org" });
    const bob = await append({ email: "shared@example.org" }, { userId: "bob" });
    await append({ email: "shared@example.com", note: "shared@example.org" });
    await append({ email: "shared@example.org" }, { type: "person.written_to" });
    expect((await find({ email: "shared@example.org" })).sort()).toEqual([ada, bob].sort());
    expect(await find({ email: "shared@example.org", channel: "post" })).toEqual([]);
    expect(await find({ email: "Shared@example.org" })).toEqual([]);
  });

  it("finds items of arrays, and numbers", async () => {
    const id = await append({
      age: 41,
      guests: [
        { id: "g1", phone: "555-01" },
        { id: "g2", phone: "555-02" },
      ],
    });
    expect(await find({ guests: [{ phone: "555-02" }] })).toEqual([id]);
    expect(await find({ guests: [{ id: "g1", phone: "555-02" }] })).toEqual([]);
    expect(await find({ age: 41 })).toEqual([id]);
    expect(await find({ age: 42 })).toEqual([]);
  });

  it("leaves pseudonyms in the store that say nothing across fields and types", async () => {
    const [one, other] = [
      await append({ email: "same", guests: [{ id: "ada", phone: "same" }] }),
      await append({ email: "same" }, { type: "person.written_to" }),
    ];
    const { store } = started();
    const stored = JSON.stringify([await store.getById(one), await store.getById(other)]);
    expect(stored).not.toContain('"same"');
    const pseudonyms = [...stored.matchAll(/"pseudonym":"(1\.[\w-]{22})"/g)].map(([, text]) => text);
    expect(pseudonyms).toHaveLength(3);
    expect(new Set(pseudonyms).size).toBe(3);
  });

  it("refuses what it can't find, and says why", async () => {
    const reasons = [
      [{ note: "a" }, ["person.called"], "data.note is personal, and is declared without lookup"],
      [{ email: null }, ["person.called"], "data.email is personal, so it must be given as it is"],
      [{ email: { pseudonym: "1.x" } }, ["person.called"], "must be given as it is"],
      [{ email: "a" }, ["person.called", "person.written_to"], "must have one type only"],
    ] as const;
    for (const [data, types, reason] of reasons) {
      await expect(find(data, types)).rejects.toMatchObject({
        code: "FILTER_INVALID",
        reason: expect.stringContaining(reason),
      });
    }
  });

  it("recognises the same event, opens its values, and goes on when the keys are wrapped anew", async () => {
    const id = await append({ email: "kept@example.org" });
    const { store, personalData } = started();
    const stored = await store.getById(id);
    if (stored === undefined) throw new Error("it is not stored");
    const [opened] = await personalData.open([stored]);
    expect(opened?.data).toEqual({ email: "kept@example.org", channel: "phone" });
    const { position: _p, streamVersion: _v, recordedAt: _r, ...event } = opened ?? stored;
    expect(await store.append(event)).toMatchObject({ status: "duplicate" });

    const before = await wrapped();
    await rewrapKeys(engine.database, provider);
    expect(await wrapped()).not.toEqual(before);
    expect(await find({ email: "kept@example.org" })).toEqual([id]);
  });

  const wrapped = () => engine.database.query("SELECT wrapped_key FROM synap.pseudonym_key");
});
