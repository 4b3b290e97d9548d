import { createEventCatalogue, defineEventType, type StoredEvent } from "@synap/types";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { createTestDatabase, type TestDatabase } from "../../testing/index.ts";
import { createEventStore, syncEventTypes } from "../internal.ts";
import { createPersonalData } from "../personal-data/personal-data.ts";
import { createSubjectKeys, type SubjectKeys } from "../personal-data/subject-keys.ts";
import { passingKeys } from "../personal-data/wrapping.ts";
import { exportSubject } from "./export-subject.ts";

const catalogue = createEventCatalogue([
  defineEventType({
    name: "parcel.sent",
    description: "A customer sent a parcel to others.",
    schema: z.strictObject({
      address: z.string().meta({ personal: { subject: "userId" } }),
      receivers: z.array(
        z.strictObject({ id: z.string(), email: z.string().meta({ personal: { subject: "id" } }) }),
      ),
    }),
    example: { address: "12 Hill Street", receivers: [{ id: "customer-7", email: "ada@example.org" }] },
  }),
  defineEventType({
    name: "note.written",
    description: "A note was written.",
    schema: z.strictObject({ text: z.string() }),
    example: { text: "Call Ada" },
  }),
]);

let test: TestDatabase;
let keys: SubjectKeys;
const NAME = 'ada "the first"';
const NOTES = 1_200;

beforeAll(async () => {
  test = await createTestDatabase("embedded", "migrated");
  const { database } = test;
  await syncEventTypes(database, catalogue);
  keys = createSubjectKeys({ database, provider: passingKeys() });
  const store = createEventStore({ database, catalogue, personalData: createPersonalData(catalogue, keys) });
  const parcel = (userId: string, address: string, ...ids: string[]) =>
    catalogue.createSynapEvent({
      type: "parcel.sent",
      userId,
      data: { address, receivers: ids.map((id) => ({ id, email: `${id}@example.org` })) },
    });
  const note = (userId: string, text: string) =>
    catalogue.createSynapEvent({ type: "note.written", userId, data: { text } });
  await store.append(parcel(NAME, "12 Hill Street", "ben"));
  await store.append(parcel("ben", "1 Lake Road", "cleo", NAME));
  await store.append(parcel("ben", "1 Lake Road", "cleo"));
  // The name without a value that is sealed for it.
  await store.append(note("cleo", NAME));
  await store.appendBatch(Array.from({ length: NOTES }, (_, index) => note(NAME, `note ${index}`)));
});
afterAll(() => test.drop());

async function exported(subject: string) {
  const events: StoredEvent[] = [];
  let largest = 0;
  for await (const page of exportSubject(test.database.reads, keys, subject)) {
    events.push(...page.events);
    largest = Math.max(largest, page.events.length);
    expect(page.position).toBeLessThanOrEqual(page.last);
  }
  return { events, largest };
}

it("has the events with data of the subject and those of which it is the userId, and opens only its values", async () => {
  const { events, largest } = await exported(NAME);
  expect(events).toHaveLength(NOTES + 2);
  expect(largest).toBeLessThan(NOTES);
  expect(events.slice(0, 3)).toMatchObject([
    {
      data: { address: "12 Hill Street", receivers: [{ id: "ben", email: "[hidden]" }] },
      masked: [{ path: "/receivers/0/email", reason: "not-allowed" }],
    },
    {
      data: {
        address: "[hidden]",
        receivers: [
          { id: "cleo", email: "[hidden]" },
          { id: NAME, email: `${NAME}@example.org` },
        ],
      },
    },
    { data: { text: "note 0" } },
  ]);
  expect(JSON.stringify(events)).not.toMatch(/Lake Road|ben@|cleo@|\$sealed/);
});

it("has nothing about an unknown subject, and masks the values of an erased one", async () => {
  expect((await exported("nobody")).events).toEqual([]);
  await test.database.asOwner((owner) =>
    owner.query(
      "UPDATE synap.subject_keys SET wrapped_key = NULL, destroyed_at = clock_timestamp() WHERE subject = 'cleo'",
    ),
  );
  keys.forget();
  const { events } = await exported("cleo");
  expect(events.map(({ masked }) => masked?.some(({ reason }) => reason === "erased"))).toEqual([
    true,
    true,
    undefined,
  ]);
  expect(events[0]?.masked).toContainEqual({ path: "/receivers/0/email", reason: "erased" });
  expect(JSON.stringify(events)).not.toContain("cleo@");
});
