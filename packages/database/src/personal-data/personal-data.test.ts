import { createEventCatalogue, defineEventType, type SynapEvent } from "@synap/types";
import { isSealedValue } from "@synap/types/internal";
import { expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { createEventStore, syncEventTypes } from "../internal.ts";
import { createPersonalData } from "./personal-data.ts";
import { createSubjectKeys } from "./subject-keys.ts";
import { passingKeys } from "./wrapping.ts";

const text = (subject: string) => z.string().meta({ personal: { subject } });
const messageSent = defineEventType({
  name: "message.sent",
  description: "A person wrote to another.",
  schema: z.strictObject({
    to: z.strictObject({ id: z.string(), email: text("id") }),
    body: text("userId"),
    lines: z.array(z.strictObject({ note: text("userId").optional() })).optional(),
    size: z.number(),
  }),
  example: { to: { id: "bob", email: "b@example.org" }, body: "Hello", size: 1 },
});
const roomBooked = defineEventType({
  name: "room.booked",
  description: "A room was booked.",
  schema: z.strictObject({ room: z.string() }),
  example: { room: "4" },
});
const catalogue = createEventCatalogue([messageSent, roomBooked]);
const CANARY = "canary-5d0a9bb5";

const message = (fields: Partial<SynapEvent> = {}) =>
  catalogue.createSynapEvent({
    type: "message.sent",
    userId: "ada",
    aggregateId: "m1",
    data: {
      to: { id: "bob", email: `${CANARY}@example.org` },
      body: CANARY,
      lines: [{ note: CANARY }, {}],
      size: 1,
    },
    ...fields,
  } as never);

describeOnEveryEngine("personal data in the store", (engine) => {
  const provider = passingKeys();
  const parts = () => {
    const { database } = engine;
    let time = 0;
    const keys = createSubjectKeys({ database, provider, keptMs: 1_000, now: () => time });
    const personalData = createPersonalData(catalogue, keys);
    const store = createEventStore({ database, catalogue, personalData });
    return { database, keys, personalData, store, pass: (ms: number) => (time += ms) };
  };
  const erase = (subject: string) =>
    engine.database.asOwner((owner) =>
      owner.query(
        "UPDATE synap.subject_keys SET wrapped_key = NULL, destroyed_at = clock_timestamp() WHERE subject = $1",
        [subject],
      ),
    );

  it("is sealed when it is stored, each value for its subject, and opened again", async () => {
    const { store, personalData, database } = parts();
    const event = message();
    expect(await store.append(event)).toMatchObject({ status: "stored" });
    const stored = await store.getById(event.id);
    if (stored === undefined) throw new Error("it is not stored");
    expect(JSON.stringify(stored)).not.toContain(CANARY);
    expect(stored.data).toMatchObject({
      to: { id: "bob", email: { subject: "bob" } },
      body: { subject: "ada" },
      lines: [{ note: { subject: "ada" } }, {}],
      size: 1,
    });
    const [opened] = await personalData.open([stored]);
    expect(opened).toEqual({ ...stored, data: event.data });
    expect(await database.query("SELECT subject FROM synap.subject_keys ORDER BY subject")).toEqual([
      { subject: "ada" },
      { subject: "bob" },
    ]);
  });

  it("is recognised when the same event comes again, and refused with another content", async () => {
    const { store } = parts();
    const event = message();
    await store.append(event);
    expect(await parts().store.append(event)).toMatchObject({ status: "duplicate" });
    const other = { ...event, data: { ...event.data, body: "other" } };
    expect(await store.append(other)).toMatchObject({
      status: "rejected",
      issues: [{ code: "event-id-conflict" }],
    });
  });

  it("stays as it is where it is sealed already, and is masked for who may not see it", async () => {
    const { personalData, store } = parts();
    const [sealing] = await personalData.seal([message()]);
    if (!sealing?.ok) throw new Error("it was refused");
    await store.append(sealing.event);
    const stored = await store.getById(sealing.event.id);
    expect(stored?.data).toEqual(sealing.event.data);
    if (stored === undefined) throw new Error("it is not stored");
    expect(personalData.mask(stored)).toMatchObject({
      data: {
        to: { id: "bob", email: "[hidden]" },
        body: "[hidden]",
        lines: [{ note: "[hidden]" }, {}],
        size: 1,
      },
      masked: [
        { path: "/to/email", reason: "not-allowed" },
        { path: "/body", reason: "not-allowed" },
        { path: "/lines/0/note", reason: "not-allowed" },
      ],
    });
  });

  it("of a subject whose key is destroyed is erased once no process keeps the key, and nothing more is sealed for him", async () => {
    const { personalData, store, pass } = parts();
    const event = message({ userId: "eve" });
    await store.append(event);
    const stored = await store.getById(event.id);
    if (stored === undefined) throw new Error("it is not stored");
    await erase("eve");
    expect((await personalData.open([stored]))[0]).not.toHaveProperty("masked");
    pass(1_001);
    expect((await personalData.open([stored]))[0]).toMatchObject({
      data: { to: { email: `${CANARY}@example.org` }, body: "[hidden]" },
      masked: [
        { path: "/body", reason: "erased" },
        { path: "/lines/0/note", reason: "erased" },
      ],
    });
    expect(await store.append(message({ userId: "eve" }))).toMatchObject({
      status: "rejected",
      issues: [{ path: "data.body", code: "subject-erased" }, { path: "data.lines[0].note" }],
    });
    const input = { type: "message.sent", userId: "eve", data: message().data } as const;
    await expect(
      store.appendToStream({ aggregateType: "message", aggregateId: "m9" }, "any", [input]),
    ).rejects.toMatchObject({ issues: [{ path: "events[0].data.body", code: "subject-erased" }, {}] });
  });

  it("moved to another event does not open", async () => {
    const { personalData, store } = parts();
    const event = message();
    await store.append(event);
    const stored = await store.getById(event.id);
    if (stored === undefined) throw new Error("it is not stored");
    const moved = { ...stored, id: message().id };
    const [opened] = await personalData.open([moved]);
    expect(opened?.masked?.map(({ reason }) => reason)).toEqual(["unreadable", "unreadable", "unreadable"]);
  });

  it("is sealed in a transaction of the caller, with keys that may be rolled back with it", async () => {
    const { store, personalData, database } = parts();
    const event = message({ userId: "carol" });
    const failing = database.transaction(async (transaction) => {
      await store.append(event, { transaction });
      throw new Error("rolled back");
    });
    await expect(failing).rejects.toThrow("rolled back");
    await database.transaction((transaction) => store.append(event, { transaction }));
    const stored = await store.getById(event.id);
    if (stored === undefined) throw new Error("it is not stored");
    expect((await personalData.open([stored]))[0]?.data).toEqual(event.data);
  });

  it("is refused by a store without keys, and by SQL, while other events need neither", async () => {
    const { database } = engine;
    const store = createEventStore({ database, catalogue });
    await expect(store.append(message())).rejects.toMatchObject({ code: "PERSONAL_DATA_KEYS_MISSING" });
    const booked = catalogue.createSynapEvent({ type: "room.booked", data: { room: "4" } });
    expect(await store.append(booked)).toMatchObject({ status: "stored" });
    await syncEventTypes(database, catalogue);
    const rows = await database.query<{ unchecked: string }>(
      "SELECT unchecked FROM synap.event_types WHERE name = 'message.sent'",
    );
    expect(rows[0]?.unchecked).toContain("is personal, and sealing it takes code");
    const posted = database.query("SELECT synap.post_event('message.sent', $1::text::jsonb)", [
      JSON.stringify(message().data),
    ]);
    await expect(posted).rejects.toThrow();
  });

  it("has a form that nothing else has", () => {
    expect(isSealedValue({ $sealed: "1.short", subject: "a" })).toBe(false);
    expect(isSealedValue({ $sealed: `1.${"A".repeat(80)}`, subject: "a", more: 1 })).toBe(false);
  });
});
