import { CloudEvent, HTTP } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const ONE = "application/cloudevents+json";
const MANY = "application/cloudevents-batch+json";

async function call(path: string, { headers, body }: { headers: Record<string, string>; body?: string }) {
  const method = body === undefined ? "GET" : "POST";
  const response = await fetch(`${api.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

/** A message of the SDK as a request. */
function message({ headers, body }: ReturnType<typeof HTTP.structured>) {
  const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return { headers: Object.fromEntries(sent), body: String(body) };
}

const eventOf = (id: string) =>
  new CloudEvent({
    id,
    source: "https://example.com/shop",
    type: "note.creation.completed",
    subject: "n-1",
    comexample: 7,
    data: { content: `note ${id}` },
  });

describe("CloudEvents over HTTP", () => {
  it("are accepted as the SDK sends them, in structured and in binary mode, and the second is the same event", async () => {
    const event = eventOf("s-1");
    const structured = await call("/api/v1/events", message(HTTP.structured(event)));
    const binary = await call("/api/v1/events", message(HTTP.binary(event)));
    expect([structured.status, binary.status]).toEqual([202, 202]);
    expect(binary.body.id).toBe(structured.body.id);
  });

  it("are accepted as a batch, each with its own result", async () => {
    const events = [eventOf("b-1"), { ...eventOf("b-2").toJSON(), specversion: "2.0" }, eventOf("b-1")];
    const { status, body } = await call("/api/v1/events/batch", {
      headers: { "content-type": MANY },
      body: JSON.stringify(events),
    });
    expect([status, body.results]).toMatchObject([
      202,
      [{ status: "accepted" }, { status: "rejected", path: "specversion" }, { status: "duplicate" }],
    ]);
  });

  it("are refused by the name of an attribute, also of a header", async () => {
    const { headers, body } = message(HTTP.binary(eventOf("r-1")));
    const refused = await call("/api/v1/events", { headers: { ...headers, "ce-subject": "%ff" }, body });
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ path: "subject", code: "wrong-format" }] },
    });
    const decoded = await call("/api/v1/events", {
      headers: { ...headers, "ce-createdby": "user%3Aada" },
      body,
    });
    expect(decoded.status).toBe(202);
  });

  it("keep unknown attributes in binary mode, and are refused where a header would take the place of the body", async () => {
    const { headers, body } = message(HTTP.binary(eventOf("h-1")));
    expect(headers).toMatchObject({ "ce-comexample": "7" });
    for (const name of ["data", "data_base64", "datacontenttype"]) {
      const refused = await call("/api/v1/events", { headers: { ...headers, [`ce-${name}`]: "{}" }, body });
      expect(refused).toMatchObject({
        status: 422,
        body: { errors: [{ path: name, code: "unknown-field" }] },
      });
    }
    const before = api.broker.received.length;
    expect((await call("/api/v1/events", { headers, body })).status).toBe(202);
    expect(JSON.stringify(api.broker.received.slice(before))).toContain("comexample");
  });

  it("are what stored events are read as, by those who ask, with the pages in the header Link", async () => {
    const events = ["one", "two"].map((content) => ({ type: "note.creation.completed", data: { content } }));
    const headers = { "content-type": "application/json" };
    await call("/api/v1/streams/note/n-2/events", { headers, body: JSON.stringify({ events }) });

    const path = "/api/v1/events?aggregateType=note&aggregateId=n-2&limit=1";
    const page = await call(path, { headers: { accept: MANY } });
    expect(page.headers.get("content-type")).toBe(MANY);
    expect(page.headers.get("vary")).toBe("accept");
    expect(page.headers.get("link")).toContain('rel="next"');
    const [read] = page.body.map((each: object) => new CloudEvent(each, true));
    expect(read).toMatchObject({ type: "note.creation.completed", subject: "n-2", data: { content: "two" } });

    const one = await call(`/api/v1/events/${read.id}`, {
      headers: { accept: `${ONE}, application/json;q=0.5` },
    });
    expect(one.headers.get("content-type")).toBe(ONE);
    expect(one.body).toEqual(page.body[0]);
    for (const other of ["/api/v1/streams/note/n-2", "/api/v1/events/aggregate/note/n-2/history"]) {
      const { body } = await call(other, { headers: { accept: MANY } });
      expect(body.map(({ data }: { data: unknown }) => data)).toEqual([
        { content: "one" },
        { content: "two" },
      ]);
    }
    const plain = await call(path, { headers: { accept: "application/json" } });
    expect(plain.headers.get("content-type")).toBe("application/json");
  });
});
