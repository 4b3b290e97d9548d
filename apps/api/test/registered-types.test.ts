import { testEngines } from "@synap/database/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const NAME = "shop.cart_abandoned";
const registration = {
  description: "Somebody left a cart behind.",
  schema: {
    type: "object",
    properties: { items: { type: "integer", minimum: 1 }, note: { type: "string", maxLength: 20 } },
    required: ["items"],
    additionalProperties: false,
  },
  example: { items: 2 },
};

describe.each(testEngines())("registering an event type (%s)", (engine) => {
  let api: TestApi;
  let machine: string;
  beforeAll(async () => {
    api = await startTestApi({ identity: { apiKeys: true, localAccess: true } }, engine);
    machine = await createTestKey(api.database, "machine", "importer", ["publish", "read", "register-types"]);
  });
  afterAll(() => api.stop());

  async function call(method: string, path: string, body?: unknown, token = machine, headers: object = {}) {
    const response = await fetch(`${api.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  }
  const register = (sent: unknown, name = NAME, token = machine) =>
    call("PUT", `/api/v1/events/types/${name}`, sent, token);
  const publish = (event: object) => call("POST", "/api/v1/events", event);

  it("needs the scope for it, which users and agents can't have", async () => {
    for (const kind of ["user", "agent"] as const) {
      const key = await createTestKey(api.database, kind, `${kind}-1`, ["publish", "read", "register-types"]);
      expect((await register(registration, NAME, key)).body).toMatchObject({
        status: 403,
        code: "scope-missing",
      });
    }
    const staff = await createTestKey(api.database, "staff", "eve");
    expect((await register(registration, NAME, staff)).body).toMatchObject({
      status: 403,
      code: "scope-missing",
    });
    expect((await publish({ type: NAME, data: { items: 1 } })).body).toMatchObject({
      code: "unknown-event-type",
    });
  });

  it("makes the type known at once: alone, in batches of each form, as a CloudEvent, and in a stream", async () => {
    const list = await call("GET", "/api/v1/events/types?limit=1000");
    const answer = await register(registration);
    expect([answer.status, answer.body]).toEqual([
      201,
      {
        outcome: "registered",
        eventType: {
          name: NAME,
          aggregateType: "shop",
          description: registration.description,
          versions: ["v1"],
          schemaVersion: 1,
          jsonSchema: registration.schema,
          earlierSchemas: [],
          example: { items: 2 },
          isRegistered: true,
        },
      },
    ]);
    const event = { type: NAME, data: { items: 1 } };
    expect((await publish(event)).status).toBe(202);
    expect((await call("POST", "/api/v1/events/batch", [event])).status).toBe(202);
    const ndjson = await call("POST", "/api/v1/events/batch", `${JSON.stringify(event)}\n`, machine, {
      "content-type": "application/x-ndjson",
    });
    expect(ndjson.status).toBe(202);
    const cloudEvent = {
      specversion: "1.0",
      id: "019aa000-0000-7000-8000-000000000077",
      source: "shop",
      type: NAME,
      data: { items: 1 },
    };
    const asCloudEvent = await call("POST", "/api/v1/events", cloudEvent, machine, {
      "content-type": "application/cloudevents+json",
    });
    expect(asCloudEvent.status).toBe(202);
    const appended = await call("POST", "/api/v1/streams/shop/cart-1/events", { events: [event] });
    expect(appended.status).toBe(201);
    expect((await publish({ type: NAME, data: { items: 0, typo: 1 } })).body).toMatchObject({
      status: 422,
      code: "event-invalid",
      errors: expect.arrayContaining([
        expect.objectContaining({ path: "data.items", code: "too-small" }),
        expect.objectContaining({ path: "data.typo", code: "unknown-field" }),
      ]),
    });

    const { body } = await call("GET", `/api/v1/events/types/${NAME}`);
    expect(body).toEqual(answer.body.eventType);
    const after = await call("GET", "/api/v1/events/types?limit=1000");
    expect(after.body.eventTypes).toHaveLength(list.body.eventTypes.length + 1);
    expect(after.headers.get("etag")).not.toBe(list.headers.get("etag"));
    const { components } = (await call("GET", "/asyncapi.json")).body;
    expect(components.schemas[`Data.${NAME}`]).toMatchObject({ properties: { items: { minimum: 1 } } });
  });

  it("lets its events be read and filtered like any other", async () => {
    const found = await call("GET", `/api/v1/events?type=${NAME}`, undefined, TOKEN);
    expect(found.body.events).toMatchObject([{ type: NAME, aggregateId: "cart-1", data: { items: 1 } }]);
    await register(registration, "shop.never_used");
    expect((await call("GET", "/api/v1/events?type=shop.never_used", undefined, TOKEN)).body.events).toEqual(
      [],
    );
    expect((await call("GET", "/api/v1/events?type=shop.never_use", undefined, TOKEN)).body).toMatchObject({
      code: "filter-unknown",
    });
  });

  it("takes a compatible change as a new version, and the same again as nothing", async () => {
    expect(await register(registration)).toMatchObject({ status: 200, body: { outcome: "unchanged" } });
    const { properties } = registration.schema;
    const wider = {
      ...registration,
      schema: { ...registration.schema, properties: { ...properties, coupon: { type: "string" } } },
    };
    expect(await register(wider)).toMatchObject({
      status: 200,
      body: { outcome: "changed", eventType: { schemaVersion: 2, earlierSchemas: [{ schemaVersion: 1 }] } },
    });
    const data = { items: 1, coupon: "X" };
    expect((await publish({ type: NAME, data, schemaVersion: 2 })).status).toBe(202);
    expect((await publish({ type: NAME, data })).body.errors).toMatchObject([
      { path: "data.coupon" },
      { path: "schemaVersion", code: "schema-version-older" },
    ]);
    // What was valid before still is.
    const refused = await register(registration);
    expect(refused.body).toMatchObject({
      status: 409,
      code: "event-type-incompatible",
      findings: [
        {
          pointer: "/coupon",
          kind: "break",
          document: expect.objectContaining({ coupon: expect.any(String) }),
        },
      ],
    });
  });

  it("refuses a type of the code, and a schema that can't be checked, with the places", async () => {
    expect((await register(registration, "note.creation.requested")).body).toMatchObject({
      status: 409,
      code: "event-type-in-code",
    });
    const schema = {
      type: "object",
      properties: {
        price: { type: "number", multipleOf: 0.01 },
        code: { type: "string", pattern: "^(?=a)" },
      },
    };
    expect((await register({ ...registration, schema, example: {} }, "shop.priced")).body).toMatchObject({
      status: 422,
      code: "event-type-invalid",
      errors: [
        { path: "/schema/properties/price/multipleOf", code: "keyword-unsupported" },
        { path: "/schema/properties/code/pattern", code: "pattern-unsupported" },
      ],
    });
    expect((await register({ ...registration, example: {} }, "shop.priced")).body).toMatchObject({
      code: "event-type-invalid",
      errors: [{ path: "/schema", code: "example-invalid" }],
    });
    expect((await register(registration, "Shop")).body).toMatchObject({ code: "event-type-invalid" });
    expect((await register({ ...registration, description: "" }, "shop.priced")).body).toMatchObject({
      status: 400,
      code: "body-invalid",
    });
    expect((await call("GET", "/api/v1/events/types/shop.priced")).status).toBe(404);
  });
});
