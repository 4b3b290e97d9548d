import { randomUUID } from "node:crypto";
import {
  createEventCatalogue,
  defineEventType,
  type EventCatalogue,
  type JsonObject,
  seedCatalogue,
} from "@synap/types";
import { beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine, postEvent } from "../../testing/index.ts";
import { createEventStore, createRegisteredTypes, registerEventType, syncEventTypes } from "../internal.ts";
import { publishEventTypes } from "./publish-event-types.ts";
import { registeredDefinition, type TypeDescription } from "./registered-definition.ts";

const described = (
  name: string,
  properties: JsonObject,
  more: Partial<TypeDescription> = {},
): TypeDescription => ({
  name,
  description: "Somebody left a cart behind.",
  schema: {
    type: "object",
    properties,
    required: Object.keys(properties).slice(0, 1),
    additionalProperties: false,
  },
  example: { items: 1 },
  ...more,
});
const ITEMS = { items: { type: "integer", minimum: 1 } };

describeOnEveryEngine("an event type that is registered", (engine) => {
  let name: string;
  beforeEach(() => {
    name = `shop.cart_${randomUUID().slice(0, 8)}`;
  });

  const register = (description: TypeDescription, actor = "user:ada") =>
    registerEventType(engine.database, description, { catalogue: seedCatalogue, actor });
  /** A store of another process, which knows nothing yet. */
  const freshStore = () =>
    createEventStore({
      database: engine.database,
      catalogue: seedCatalogue.withRegistered(createRegisteredTypes(engine.database)),
    });
  const eventOf = (data: JsonObject, more: object = {}) => ({
    ...seedCatalogue.completeEvent({ type: name, data }),
    ...more,
  });

  it("is known to a store that runs already, at once", async () => {
    const store = freshStore();
    expect(await store.append(eventOf({ items: 2 }))).toMatchObject({
      status: "rejected",
      issues: [{ path: "type", code: "unknown-event-type" }],
    });
    expect(await register(described(name, ITEMS))).toMatchObject({
      outcome: "registered",
      type: { name, aggregateType: "shop", version: 1, isRegistered: true },
    });
    expect(await store.append(eventOf({ items: 2 }))).toMatchObject({ status: "stored" });
    expect(await store.append(eventOf({ items: 0 }))).toMatchObject({
      status: "rejected",
      issues: [{ path: "data.items", code: "too-small" }],
    });
    expect(await store.append(eventOf({ items: 1, typo: 1 }))).toMatchObject({
      status: "rejected",
      issues: [{ path: "data.typo", code: "unknown-field" }],
    });
  });

  it("is known to appends to streams, and inside a transaction", async () => {
    const store = freshStore();
    await register(described(name, ITEMS));
    const stream = { aggregateType: "shop", aggregateId: randomUUID() };
    const result = await store.appendToStream(stream, 0, [{ type: name, data: { items: 1 } }]);
    expect(result.streamVersion).toBe(1);
    const other = freshStore();
    await engine.database.transaction(async (transaction) => {
      const appended = await other.appendToStream(stream, 1, [{ type: name, data: { items: 2 } }], {
        transaction,
      });
      expect(appended.streamVersion).toBe(2);
    });
  });

  it("is posted by SQL, which checks the data alike", async () => {
    await register(described(name, ITEMS));
    const post = (data: JsonObject) =>
      engine.database.asOwner((owner) => postEvent(owner, { type: name, aggregateId: "c1", data }));
    await expect(post({ items: 1 })).resolves.toBeDefined();
    await expect(post({ items: "1" })).rejects.toThrow(/data\.items/);
  });

  it("gets a new version that accepts all that the one before it accepts", async () => {
    const store = freshStore();
    await register(described(name, ITEMS));
    expect(await store.append(eventOf({ items: 1 }))).toMatchObject({ status: "stored" });
    const wider = described(name, { ...ITEMS, coupon: { type: "string" } });
    expect(await register(wider, "user:eve")).toMatchObject({ outcome: "changed", type: { version: 2 } });
    const second = eventOf({ items: 1, coupon: "X" }, { schemaVersion: 2 });
    expect(await store.append(second)).toMatchObject({ status: "stored" });
    // Events name the version that they were checked against: an absent one is the first.
    expect(await store.append(eventOf({ items: 1, coupon: "X" }))).toMatchObject({
      status: "rejected",
      issues: [{ code: "unknown-field" }, { code: "schema-version-older" }],
    });
    expect(await store.append(eventOf({ items: 1 }, { schemaVersion: 3 }))).toMatchObject({
      status: "rejected",
      issues: [{ path: "schemaVersion", code: "schema-version-newer" }],
    });
    expect(await store.getById(second.id)).toMatchObject({ schemaVersion: 2, data: { coupon: "X" } });
    const rows = await engine.database.query(
      "SELECT schema_version, registered_by FROM synap.registered_types WHERE name = $1 ORDER BY schema_version",
      [name],
    );
    expect(rows).toEqual([
      { schema_version: 1, registered_by: "user:ada" },
      { schema_version: 2, registered_by: "user:eve" },
    ]);
  });

  it("stays as it is when the same is registered again", async () => {
    await register(described(name, ITEMS));
    const { schema, ...rest } = described(name, ITEMS);
    // The order of keywords does not matter.
    const turned = Object.fromEntries(Object.entries(schema as object).reverse());
    expect(await register({ ...rest, schema: turned })).toMatchObject({
      outcome: "unchanged",
      type: { version: 1 },
    });
  });

  it("is refused a version that would refuse earlier data, with a document that shows it", async () => {
    await register(described(name, ITEMS));
    const narrower = described(name, { items: { type: "integer", minimum: 2 } }, { example: { items: 2 } });
    const refusal = await register(narrower).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "TYPE_INCOMPATIBLE",
      findings: [{ pointer: "/items", kind: "break", document: { items: 1 } }],
    });
    await expect(register({ ...described(name, ITEMS), aggregateType: "cart" })).rejects.toMatchObject({
      code: "TYPE_INCOMPATIBLE",
    });
  });

  it("is refused where code has the type, also that of another process", async () => {
    await expect(register(described("note.creation.requested", ITEMS))).rejects.toMatchObject({
      code: "TYPE_IN_CODE",
    });
    // Synap's own records, which say what was removed and why.
    for (const record of ["events.archived", "log.purged", "subject.erased"])
      await expect(register(described(record, ITEMS))).rejects.toMatchObject({ code: "TYPE_IN_CODE" });
    const inCode = defineEventType({
      name: `${name}.elsewhere`,
      description: "x",
      schema: z.object({}),
      example: {},
    });
    await syncEventTypes(engine.database, createEventCatalogue([inCode]));
    await expect(register(described(`${name}.elsewhere`, ITEMS))).rejects.toMatchObject({
      code: "TYPE_IN_CODE",
    });
  });

  it("is refused for an example or a name that none can have", async () => {
    await expect(register(described(name, ITEMS, { example: { items: 0 } }))).rejects.toMatchObject({
      code: "REGISTERED_SCHEMA_REFUSED",
      issues: [{ path: "", code: "example-invalid" }],
    });
    await expect(register(described("Cart", ITEMS))).rejects.toMatchObject({ code: "EVENT_TYPE_INVALID" });
    for (const description of ["a\u0000b", "a\ud800b"])
      await expect(register(described(name, ITEMS, { description }))).rejects.toMatchObject({
        code: "EVENT_TYPE_INVALID",
      });
  });

  it("keeps no other from being known when this release can't read it", async () => {
    await register(described(name, ITEMS));
    const newer = `${name}.newer`;
    await engine.database.query(
      `INSERT INTO synap.registered_types
              (name, schema_version, aggregate_type, description, registered_by, json_schema, example)
       VALUES ($1, 1, 'shop', 'x', 'system', '{"type":"object","keywordOfTomorrow":true}', '{}')`,
      [newer],
    );
    const store = freshStore();
    const event = eventOf({ items: 1 });
    const newerEvent = seedCatalogue.completeEvent({ type: newer, data: {} });
    await expect(store.append(newerEvent)).rejects.toMatchObject({ code: "REGISTERED_SCHEMA_REFUSED" });
    const [outcomes] = await Promise.allSettled([store.appendBatch([event]), store.append(newerEvent)]);
    expect(outcomes).toMatchObject({ status: "fulfilled", value: [{ status: "stored" }] });
    const listed = await createRegisteredTypes(engine.database).all();
    expect(listed.map((type) => type.name)).toContain(name);
    expect(listed.map((type) => type.name)).not.toContain(newer);
  });

  it("is refused for values of keywords that JSON Schema does not allow", async () => {
    const schemas = [
      { type: "object", properties: { items: { type: "integer", title: 5 } } },
      { type: "object", properties: { items: { type: "integer" } }, required: ["items", "items"] },
    ];
    for (const schema of schemas)
      await expect(register(described(name, {}, { schema }))).rejects.toMatchObject({
        code: "REGISTERED_SCHEMA_REFUSED",
        issues: [{ path: "", code: "keyword-invalid" }],
      });
  });

  it("has its first version where none is named, whichever a process knows", async () => {
    await register(described(name, ITEMS));
    await register(described(name, { ...ITEMS, coupon: { type: "string" } }));
    const registered = createRegisteredTypes(engine.database);
    const catalogue: EventCatalogue = seedCatalogue.withRegistered(registered);
    expect((await registered.current(name))?.version).toBe(2);
    const event = catalogue.createSynapEvent({ type: name, data: { items: 1 } });
    expect(event.schemaVersion).toBeUndefined();
    expect(await freshStore().append(event)).toMatchObject({ status: "stored" });
    expect(await freshStore().append(event)).toMatchObject({ status: "duplicate" });
  });

  it("never replaces a type of the code, also one that came while it was registered", async () => {
    const inCode = defineEventType({
      name: `${name}.elsewhere`,
      description: "x",
      schema: z.object({}),
      example: {},
    });
    await syncEventTypes(engine.database, createEventCatalogue([inCode]));
    const type = registeredDefinition([described(`${name}.elsewhere`, ITEMS)]);
    const from = { release: "0", isRegistered: true };
    expect(await publishEventTypes(engine.database, [type], from)).toEqual([]);
  });

  it("is registered once, whoever else does so at the same moment", async () => {
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => register(described(name, ITEMS))));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
      "registered",
      "unchanged",
      "unchanged",
      "unchanged",
    ]);
  });

  it("is taken over by code that accepts its data, and by no other", async () => {
    await register(described(name, ITEMS));
    const inCode = (schema: z.ZodType<JsonObject, JsonObject>, example: JsonObject) =>
      createEventCatalogue([
        defineEventType({ name: name as `${string}.${string}`, description: "In code.", schema, example }),
      ]);
    const narrower = inCode(z.strictObject({ items: z.int().min(5) }), { items: 5 });
    await expect(syncEventTypes(engine.database, narrower)).rejects.toMatchObject({
      code: "REGISTERED_TYPE_CONFLICT",
      message: expect.stringMatching(/\/items.*for example \{"items":1\}/),
    });
    // What was refused has changed nothing.
    const ONE = "SELECT registered, description FROM synap.event_types WHERE name = $1";
    expect(await engine.database.query(ONE, [name])).toEqual([
      { registered: true, description: "Somebody left a cart behind." },
    ]);
    const same = inCode(z.strictObject({ items: z.int().min(1) }), { items: 1 });
    expect(await syncEventTypes(engine.database, same)).toEqual([name]);
    await expect(register(described(name, { ...ITEMS, more: { type: "string" } }))).rejects.toMatchObject({
      code: "TYPE_IN_CODE",
    });
  });

  it("is taken over by code with all of its versions only", async () => {
    await register(described(name, ITEMS));
    await register(described(name, { ...ITEMS, coupon: { type: "string" } }));
    const schema = z.strictObject({ items: z.int().min(1), coupon: z.string().optional() });
    const about = {
      name: name as `${string}.${string}`,
      description: "In code.",
      schema,
      example: { items: 1 },
    };
    await expect(
      syncEventTypes(engine.database, createEventCatalogue([defineEventType(about)])),
    ).rejects.toMatchObject({
      code: "REGISTERED_TYPE_CONFLICT",
      message: expect.stringMatching(/version 1, and that one 2/),
    });
    const whole = defineEventType({
      ...about,
      version: 2,
      upcast: { 1: { schema: z.strictObject({ items: z.int().min(1) }), up: (data) => data } },
    });
    expect(await syncEventTypes(engine.database, createEventCatalogue([whole]))).toEqual([name]);
  });

  it("costs the database one look-up at a time, however many unknown names arrive", async () => {
    let running = 0;
    let most = 0;
    let queries = 0;
    const registered = createRegisteredTypes({
      async query<Row extends object>(text: string, parameters?: readonly (string | number)[]) {
        running += 1;
        queries += 1;
        most = Math.max(most, running);
        const rows = await engine.database.query<Row>(text, parameters);
        running -= 1;
        return rows;
      },
    });
    const catalogue = seedCatalogue.withRegistered(registered);
    const known = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        registered.read(() => catalogue.has(`unknown.type_${index}`)),
      ),
    );
    expect(known).toEqual(Array.from({ length: 200 }, () => false));
    expect({ most, queries }).toEqual({ most: 1, queries: 1 });
    // What can be no name is not looked up.
    expect(registered.read(() => catalogue.has("no name"))).toBe(false);
  });

  it("is listed with the types of the code", async () => {
    await register(described(name, ITEMS));
    const registered = createRegisteredTypes(engine.database);
    const all = await registered.all();
    expect(all.map((type) => type.name)).toContain(name);
    // Lists are made again only when a type has changed.
    expect((await registered.all()).find((type) => type.name === name)).toBe(
      all.find((type) => type.name === name),
    );
  });
});
