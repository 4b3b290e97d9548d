import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eraseSubject, ownKeyFile } from "@synap/database/internal";
import { createTestDatabase } from "@synap/database/testing";
import { keyText, readTable } from "@synap/handlers";
import { defineEventType } from "@synap/types";
import { eq } from "drizzle-orm";
import { text } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createSynap,
  defineConfig,
  defineDecider,
  defineHandler,
  defineProjection,
  defineReadModel,
  type Synap,
} from "../src/index.ts";

const first = z.strictObject({ mail: z.string().meta({ personal: { subject: "userId" } }) });
const customerJoined = defineEventType({
  name: "customer.joined",
  description: "A customer joined.",
  version: 2,
  schema: z.strictObject({
    email: z.string().meta({ personal: { subject: "userId", lookup: true } }),
    plan: z.string(),
  }),
  example: { email: "ada@example.org", plan: "basic" },
  upcast: { 1: { schema: first, up: ({ mail }) => ({ email: mail.toLowerCase(), plan: "basic" }) } },
});
const welcomeSent = defineEventType({
  name: "welcome.sent",
  description: "A customer was welcomed.",
  schema: z.strictObject({ to: z.string().meta({ personal: { subject: "userId" } }) }),
  example: { to: "ada@example.org" },
});

const customers = readTable("customers", { id: keyText("id").primaryKey(), email: text("email").notNull() });
const customersProjection = defineProjection({
  name: "customers",
  version: 1,
  description: "Keeps every customer.",
  events: [customerJoined],
  mode: "inline",
  table: customers,
  evolve: (_row, event) => ({ id: event.aggregateId, email: event.data.email }),
});
const customersOf = defineReadModel({
  path: "customers",
  description: "The customer with an id",
  writtenBy: [customersProjection],
  parameters: z.strictObject({ id: z.string() }),
  response: z.object({ emails: z.array(z.string()) }),
  read: async ({ orm }, { id }) => ({
    emails: (await orm.select().from(customers).where(eq(customers.id, id))).map(({ email }) => email),
  }),
});
const seen: string[] = [];
const erased: string[] = [];
const customerDecider = defineDecider({
  name: "customer",
  description: "A customer joins once.",
  events: [customerJoined],
  commands: { join: z.strictObject({ email: z.string() }) },
  state: z.strictObject({ emails: z.array(z.string()) }),
  initialState: { emails: [] as string[] },
  evolve: ({ emails }, { data }) => ({ emails: [...emails, data.email] }),
  decide: ({ data }, { emails }) =>
    emails.includes(data.email)
      ? []
      : [{ type: "customer.joined" as const, data: { email: data.email, plan: "basic" } }],
});
const application = defineConfig({
  eventTypes: [customerJoined, welcomeSent],
  handlers: [
    defineHandler({
      name: "welcoming",
      description: "Welcomes each customer.",
      events: [customerJoined],
      mode: "async",
      async eraseSubject(subject) {
        erased.push(subject);
      },
      async handle(events, { append }) {
        seen.push(...events.map(({ data }) => data.email));
        await append(
          events.map(({ data, id, userId, recordedAt }) => ({
            id: id.replace(/^.{8}/, "00000000"),
            version: "v1",
            type: "welcome.sent",
            aggregateType: "welcome",
            aggregateId: id,
            data: { to: data.email },
            ...(userId !== undefined && { userId }),
            createdBy: "system",
            source: "welcoming",
            timestamp: recordedAt,
          })),
        );
      },
    }),
  ],
  projections: [customersProjection],
  aggregates: [{ decider: customerDecider, path: "customers" }],
  readModels: [customersOf],
});

const CANARY = "canary-4f1a@example.org";

describe("an application with personal data", () => {
  let synap: Synap<NonNullable<typeof application.catalogue.eventTypes>>;
  beforeAll(async () => {
    synap = await createSynap(application, { memory: true });
  });
  afterAll(() => synap.close());

  const joined = {
    type: "customer.joined",
    aggregateId: "c1",
    userId: "ada",
    data: { email: CANARY, plan: "basic" },
  } as const;

  it("gives handlers, projections and reads what was sent, and stores none of it", async () => {
    const { position, id } = await synap.publish(joined);
    await synap.waitFor(position, "welcoming");
    expect(seen).toEqual([CANARY]);
    expect((await synap.getEvent(id))?.data).toEqual(joined.data);
    const { events } = await synap.queryPage({ type: "welcome.sent" });
    expect(events).toMatchObject([{ data: { to: CANARY }, userId: "ada" }]);
    const found = await synap.queryPage({ type: "customer.joined", data: { email: CANARY } });
    expect(found.events).toMatchObject([{ id, data: joined.data }]);
    const rows = await synap.database.query<{ text: string }>(
      "SELECT e::text AS text FROM synap.events AS e",
    );
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain("canary");
    const tables = await synap.database
      .query<{ email: string }>("SELECT email FROM synap_projections.customers")
      .catch(() => undefined);
    expect(tables ?? [{ email: CANARY }]).toEqual([{ email: CANARY }]);
  });

  it("recognises an event that is published again", async () => {
    const event = { ...joined, id: "0b0f4c5e-6f0c-4d0f-9a3e-3f1f7f6b0c11", aggregateId: "c2" };
    await synap.publish(event);
    expect(await synap.publish(event)).toMatchObject({ isDuplicate: true });
  });

  it("opens before it brings an event to the current version", async () => {
    const old = { ...joined, aggregateId: "c3", schemaVersion: 1, data: { mail: CANARY.toUpperCase() } };
    const { id } = await synap.publish(Object(old));
    expect((await synap.getEvent(id))?.data).toEqual({ email: CANARY, plan: "basic" });
  });

  it("opens events, and brings them to the current version, for a read model as it was", async () => {
    await synap.publish({ ...joined, aggregateId: "c4" });
    const old = { ...joined, aggregateId: "c5", schemaVersion: 1, data: { mail: CANARY.toUpperCase() } };
    await synap.publish(Object(old));
    for (const asOf of [undefined, new Date()]) {
      for (const id of ["c4", "c5"])
        expect(await synap.readModel(customersOf, { id }, { asOf })).toEqual({ emails: [CANARY] });
    }
  });

  it("decides on what was sent, by any number of events, and keeps no snapshot of it", async () => {
    const repository = synap.aggregates(customerDecider);
    const join = (email: string) =>
      repository.execute("c9", { type: "join", data: { email } }, { userId: "ada" });
    expect((await join(CANARY)).events).toHaveLength(1);
    expect((await join(CANARY)).events).toHaveLength(0);
    const stream = { aggregateType: "customer", aggregateId: "c9" };
    const many = Array.from({ length: 250 }, (_, index) => ({
      type: "customer.joined" as const,
      userId: "ada",
      data: { email: `${CANARY}.${index}`, plan: "basic" },
    }));
    await synap.append(stream, many);
    const { state } = await repository.load("c9");
    expect(state.emails).toHaveLength(251);
    expect(state.emails.at(-1)).toBe(`${CANARY}.249`);
    await join("another");
    expect(await synap.database.query("SELECT FROM synap.aggregate_snapshots")).toEqual([]);
  });

  it("refuses an event that does not say whose data it has", async () => {
    const { userId: _, ...nobody } = joined;
    await expect(synap.publish(nobody)).rejects.toMatchObject({
      issues: [{ path: "userId", code: "missing" }],
    });
  });

  it("says what it needs on a database that is given, or on a server", async () => {
    const { database } = synap;
    await expect(createSynap(application, { database })).rejects.toMatchObject({
      code: "PERSONAL_DATA_KEYS_MISSING",
    });
  });
});

describe("erasing a subject of an application", () => {
  it("replaces the read models that have its data, calls eraseSubject of handlers, and keeps the data of others", async () => {
    const test = await createTestDatabase("embedded");
    const directory = await mkdtemp(join(tmpdir(), "synap-erasing-"));
    try {
      const { database } = test;
      const personalData = await ownKeyFile(directory);
      const rowsOf = async () => {
        const [{ name } = { name: "" }] = await database.query<{ name: string }>(
          "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables WHERE table_name LIKE 'customers%'",
        );
        return await database.query(`SELECT id, email FROM ${name} ORDER BY id`);
      };
      const before = await createSynap(application, { database, personalData, runHandlers: true });
      const joined = (id: string, userId: string) =>
        before.publish({
          type: "customer.joined",
          aggregateId: id,
          userId,
          data: { email: `${userId}@x`, plan: "a" },
        });
      await joined("c1", "ada");
      await joined("c2", "bob");
      expect(await rowsOf()).toEqual([
        { id: "c1", email: "ada@x" },
        { id: "c2", email: "bob@x" },
      ]);
      await before.close();
      const { ledger } = personalData;
      await eraseSubject(database, { subject: "ada", reason: "Request 118", by: "user:officer" }, { ledger });

      const after = await createSynap(application, { database, personalData, runHandlers: true });
      await expect
        .poll(() => rowsOf().catch(() => []), { timeout: 60_000 })
        .toEqual([
          { id: "c1", email: "[hidden]" },
          { id: "c2", email: "bob@x" },
        ]);
      await expect.poll(() => erased, { timeout: 60_000 }).toContain("ada");
      const { events } = await after.queryPage({ type: "customer.joined", userId: "ada" });
      expect(events).toMatchObject([
        { data: { email: "[hidden]" }, masked: [{ path: "/email", reason: "erased" }] },
      ]);
      await after.close();
    } finally {
      await test.drop();
      await rm(directory, { recursive: true });
    }
  });
});
