import { vaultKeys } from "@synap/database";
import { startTransitServer, type TransitServer } from "@synap/database/testing";
import { defineEventType, seedCatalogue } from "@synap/types";
import { isSealedValue } from "@synap/types/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

const customerJoined = defineEventType({
  name: "customer.joined",
  description: "A customer joined.",
  schema: z.strictObject({
    email: z.string().meta({ personal: { subject: "userId", lookup: true } }),
    phone: z
      .string()
      .meta({ personal: { subject: "userId" } })
      .optional(),
    plan: z.string(),
  }),
  example: { email: "ada@example.org", plan: "basic" },
});
const catalogue = seedCatalogue.extend([customerJoined]);
const EMAIL = "canary@example.org";
const type = "customer.joined";

describe("an API with personal data", () => {
  let api: TestApi;
  let vault: TransitServer;
  beforeAll(async () => {
    vault = await startTransitServer();
    api = await startTestApi({}, "embedded", { catalogue, keys: vaultKeys(vault) });
  });
  afterAll(async () => {
    await api.stop();
    await vault.close();
  });

  const send = async (path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      headers: { "content-type": "application/json", ...headers },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const sent = () => api.broker.received.splice(0).flatMap(({ events }) => events);
  const joined = (fields: object = {}) => ({
    type,
    userId: "ada",
    data: { email: EMAIL, plan: "basic" },
    ...fields,
  });

  it("seals before the broker gets anything, alone, in a batch and as CloudEvents", async () => {
    sent();
    const id = "0b0f4c5e-6f0c-4d0f-9a3e-3f1f7f6b0c11";
    expect((await send("/events", joined({ id }))).status).toBe(202);
    expect(
      (await send("/events/batch", [joined(), { type: "note.creation.requested", data: { content: "a" } }]))
        .status,
    ).toBe(202);
    const cloud = { specversion: "1.0", id: "1", source: "test", type, data: joined().data, userid: "ada" };
    await send("/events", cloud, { "content-type": "application/cloudevents+json" });
    const events = sent();
    expect(events.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(events)).not.toContain("canary");
    for (const event of events.filter((each) => each.type === type)) {
      expect(isSealedValue(event.data["email"])).toBe(true);
      expect(event.data["plan"]).toBe("basic");
    }
    // The same event again is the same to the last byte, which the store and the batch recognise it by.
    expect((await send("/events/batch", [joined({ id }), joined({ id })])).body.results).toMatchObject([
      { status: "accepted" },
      { status: "duplicate" },
    ]);
    expect(sent()[0]?.data).toEqual(events.find((each) => each.id === id)?.data);
  });

  it("refuses a value that its sender has sealed, and one of nobody", async () => {
    const sealed = { $sealed: `1.${"A".repeat(80)}`, subject: "ada" };
    expect(await send("/events", joined({ data: { email: sealed, plan: "basic" } }))).toMatchObject({
      status: 422,
    });
    expect(await send("/events", joined({ userId: undefined }))).toMatchObject({
      status: 422,
      body: { errors: [{ path: "userId", code: "missing" }] },
    });
  });

  it("gives it to principals with the scope read-personal, and masks it for others", async () => {
    const { body } = await send("/streams/customer/c-1/events", { events: [joined()] });
    const [{ id }] = body.events;
    const masked = {
      data: { email: "[hidden]", plan: "basic" },
      masked: [{ path: "/email", reason: "not-allowed" }],
    };
    const open = { data: { email: EMAIL, plan: "basic" } };
    const authorization = `Bearer ${TOKEN}`;
    expect((await send(`/events/${id}`)).body).toMatchObject(masked);
    const opened = await send(`/events/${id}`, undefined, { authorization });
    expect(opened.body).toMatchObject(open);
    expect(opened.body).not.toHaveProperty("masked");
    for (const path of [
      "/events?aggregateId=c-1",
      "/streams/customer/c-1",
      "/events/aggregate/customer/c-1/history",
    ]) {
      expect((await send(path)).body.events).toMatchObject([masked]);
      expect((await send(path, undefined, { authorization })).body.events).toMatchObject([open]);
    }
    expect((await send(`/traces/${id}`)).body.nodes).toMatchObject([{ event: masked }]);
    expect((await send("/aggregates/customer/c-1")).body.state).toEqual({ [type]: masked.data });
    expect((await send("/aggregates/customer/c-1", undefined, { authorization })).body.state).toEqual({
      [type]: open.data,
    });
  });

  it("finds it for principals with the scope, in fields that can be looked up", async () => {
    const { body } = await send("/streams/customer/c-3/events", { events: [joined()] });
    const [{ id }] = body.events;
    const authorization = `Bearer ${TOKEN}`;
    const find = (data: object) => {
      const query = new URLSearchParams({ type, aggregateId: "c-3", data: JSON.stringify(data) });
      return send(`/events?${query}`, undefined, { authorization });
    };
    expect((await find({ email: EMAIL })).body.events).toMatchObject([{ id, data: { email: EMAIL } }]);
    expect((await find({ email: EMAIL, plan: "large" })).body.events).toEqual([]);
    expect(await find({ phone: "555" })).toMatchObject({
      status: 400,
      body: { code: "parameter-invalid", detail: expect.stringContaining("declared without lookup") },
    });
    const query = new URLSearchParams({ type, data: JSON.stringify({ email: EMAIL }) });
    expect((await send(`/events?${query}`)).body.events).toEqual([]);
  });

  it("answers 503 while the keys can't be had, and takes other events", async () => {
    vault.refuse(503);
    sent();
    const body = joined({ userId: "somebody-new" });
    expect(await send("/events", body)).toMatchObject({ status: 503, body: { code: "keys-unavailable" } });
    expect(await send("/streams/customer/c-2/events", { events: [body] })).toMatchObject({
      status: 503,
      body: { code: "keys-unavailable" },
    });
    expect((await send("/events", { type: "note.creation.requested", data: { content: "a" } })).status).toBe(
      202,
    );
    vault.refuse(undefined);
    expect((await send("/events", body)).status).toBe(202);
  });
});
