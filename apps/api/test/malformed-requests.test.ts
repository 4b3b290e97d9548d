import { everythingOn, openConnection } from "@synap/http/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

interface Malformed {
  readonly path: string;
  readonly type: string | undefined;
  readonly body: Uint8Array;
}

const PATHS = ["/api/v1/events", "/api/v1/events/batch"];
const bytes = (text: string) => new TextEncoder().encode(text);
const sound = { type: "note.creation.requested", data: { content: "hello" } };

/** Values of which no event is made, whatever field they are put into. */
const strange = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1.5,
    [],
    {},
    [[]],
    { a: null },
    "",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "x".repeat(5_000),
  ),
  fc.constantFrom(Number.MAX_SAFE_INTEGER + 1, 1e300, -1e300),
  fc.array(fc.jsonValue(), { maxLength: 3 }),
);

const field = fc.constantFrom(
  "id",
  "version",
  "type",
  "aggregateType",
  "data",
  "createdBy",
  "timestamp",
  "causationId",
  "validFrom",
  "metadata.",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "unknown",
);

/** The text of an event with one field that cannot be. Written as text, so that any field can be. */
const wrongField = fc.tuple(field, strange).map(([name, value]) => {
  const { [name]: _, ...rest } = sound as Record<string, unknown>;
  return `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`;
});

const wrongNumber = fc
  .constantFrom(
    "1e400",
    "-1e999",
    "12345678901234567890",
    "9".repeat(400),
    "0.12345678901234567890123",
    "1e-400",
    "01",
    "+1",
    ".5",
    "1.",
    "0x10",
    "NaN",
  )
  .map((literal) => `{"type":"note.creation.requested","data":{"content":"x"},"metadata":{"n":${literal}}}`);

const deep = fc
  .tuple(fc.integer({ min: 40, max: 20_000 }), fc.constantFrom(["[", "]"], ['{"a":', "}"]), fc.boolean())
  .map(([depth, [open = "", close = ""], isClosed]) => {
    const nested = open.repeat(depth) + (open === "[" ? "" : "1") + (isClosed ? close.repeat(depth) : "");
    return `{"type":"note.creation.requested","data":${nested}${isClosed ? "}" : ""}`;
  });

const truncated = fc
  .nat(JSON.stringify(sound).length - 1)
  .map((length) => JSON.stringify(sound).slice(0, length));

const repeatedField = fc.constantFrom(
  '{"type":"note.creation.requested","type":"note.creation.requested","data":{"content":"x"}}',
  '{"type":"note.creation.requested","data":{"content":"x","content":"y"}}',
  '{"type":"note.creation.requested","data":{"content":"x"},"metadata":{"a":1,"\\u0061":2}}',
);

const text = fc.oneof(
  wrongField,
  wrongNumber,
  deep,
  truncated,
  repeatedField,
  fc.json(),
  fc.string({ unit: "binary", maxLength: 200 }),
);
const invalidUtf8 = fc
  .tuple(
    fc.nat(30),
    fc.constantFrom([0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]),
  )
  .map(([place, wrong]) => {
    const good = bytes(JSON.stringify(sound));
    return Uint8Array.from([...good.slice(0, place), ...wrong, 0x20, ...good.slice(place)]);
  });
const body = fc.oneof(
  { weight: 8, arbitrary: text.map(bytes) },
  { weight: 2, arbitrary: invalidUtf8 },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }) },
);

/** In a batch as well, where a fault may stand in one of the events, at the end or around them. */
const malformed: fc.Arbitrary<Malformed> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ path: fc.constantFrom(...PATHS), type: fc.constant("application/json"), body }),
  },
  {
    weight: 3,
    arbitrary: text.map((event) => ({
      path: "/api/v1/events/batch",
      type: "application/json",
      body: bytes(`{"events":[${event}]}`),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      path: fc.constant("/api/v1/events/batch"),
      type: fc.constant("application/x-ndjson"),
      body,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      path: fc.constantFrom(...PATHS),
      type: fc.constantFrom(
        undefined,
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "json",
        ";",
      ),
      body: fc.constant(bytes(JSON.stringify(sound))),
    }),
  },
);

/** The server may close a connection on which it refused a long body, so that the next request needs another. */
const LONG_BODY_BYTES = 1_000_000;

async function send({ path, type, body }: Malformed) {
  const response = await fetch(`${api.url}${path}`, {
    method: "POST",
    // A typed Blob would bring a content type of its own.
    body: new Blob([Uint8Array.from(body)]),
    headers: {
      ...(type !== undefined && { "content-type": type }),
      ...(body.length > LONG_BODY_BYTES && { connection: "close" }),
    },
    signal: AbortSignal.timeout(60_000),
  });
  return readResponse(response);
}

describe("malformed requests", () => {
  it("are each answered with a 4xx and a useful problem document, a thousand times", async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(malformed, async (request) => {
        const { status, headers, body } = await send(request);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
        expect(headers.get("content-type")).toBe("application/problem+json");
        expect(body).toMatchObject({
          type: `/problems/${body.code}`,
          title: expect.stringMatching(/\w/),
          detail: expect.stringMatching(/\w{2,}.*\.$/s),
          status,
          instance: headers.get("x-request-id"),
        });
        seen.set(body.code, (seen.get(body.code) ?? 0) + 1);
      }),
      { numRuns: 1_000 },
    );
    for (const code of [
      "event-invalid",
      "malformed-json",
      "invalid-utf8",
      "too-deep",
      "unsupported-media-type",
      "batch-rejected",
    ]) {
      expect(seen.get(code) ?? 0, code).toBeGreaterThan(5);
    }
  });

  it.each(PATHS)(
    "a body to %s that is too large: announced, chunked, and all of it brackets",
    async (path) => {
      // Nothing of it is sent: after the response the server reads on for half a second at the most, and closes.
      const socket = await openConnection(api.url);
      const lines = [`POST ${path} HTTP/1.1`, "host: 127.0.0.1", "content-type: application/json"];
      socket.write(`${[...lines, "content-length: 10000000"].join("\r\n")}\r\n\r\n`);
      const answer = await everythingOn(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain('"body-too-large"');
      const brackets = bytes("[".repeat(5_000_000));
      expect(await send({ path, type: "application/json", body: brackets })).toMatchObject({
        status: 413,
        body: { code: "too-many-values" },
      });
      expect(await send({ path, type: "application/json", body: brackets.slice(0, 90_000) })).toMatchObject({
        status: 400,
        body: { code: "malformed-json" },
      });
      // Just above the limit, so that hardly anything is left to read after the response.
      let left = 106;
      const stream = new ReadableStream({
        pull: (controller) =>
          left-- > 0 ? controller.enqueue(brackets.slice(0, 50_000)) : controller.close(),
      });
      const response = await fetch(`${api.url}${path}`, {
        method: "POST",
        body: stream,
        duplex: "half",
        // The server closes it after the refusal, and the next request would meet that.
        headers: { "content-type": "application/json", connection: "close" },
      });
      expect(response.status).toBe(413);
    },
  );

  it("of any address and query are answered below 500", async () => {
    const part = fc.oneof(
      fc.constantFrom("api", "v1", "events", "..", "%00", "%zz", "%ff", "__proto__", "status", "{id}", ":id"),
      fc.webSegment(),
    );
    const query = fc.oneof(
      fc.webQueryParameters(),
      fc.constantFrom("from=%00", "cursor=%ff", "limit=1e3", "userId=%ED%A0%80", "type=a&type=%00"),
    );
    const address = fc.oneof(
      fc
        .tuple(fc.array(part, { maxLength: 4 }), query)
        .map(([parts, query]) => `/${parts.join("/")}?${query}`),
      query.map((query) => `/api/v1/events?${query}`),
      part.map((id) => `/api/v1/events/${id}`),
    );
    await fc.assert(
      fc.asyncProperty(
        address,
        fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
        async (address, method) => {
          const response = await fetch(`${api.url}${address}`, {
            method,
            signal: AbortSignal.timeout(60_000),
          });
          const body = await response.text();
          expect(response.status, body).toBeLessThan(500);
          if (response.status >= 400)
            expect(response.headers.get("content-type")).toBe("application/problem+json");
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ["no HTTP at all", "hello\r\n\r\n", 400, "request-invalid"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400, "request-invalid"],
    ["an impossible Host", "GET / HTTP/1.1\r\nHost: a b c/@\r\n\r\n", 400, "request-invalid"],
    [
      "two lengths",
      "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      400,
      "request-invalid",
    ],
    [
      "a length and chunks",
      "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "request-invalid",
    ],
    [
      "huge headers",
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
      "headers-too-large",
    ],
  ])("%s is answered with a problem document", async (_, request, status, code) => {
    const socket = await openConnection(api.url);
    socket.write(request);
    const answer = await everythingOn(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain("content-type: application/problem+json");
    expect(answer).toContain(`"code":"${code}"`);
  });

  it("that break off in the middle leave the server as it was", async () => {
    const head = "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    const socket = await openConnection(api.url);
    socket.write(`${head}Content-Length: 100\r\n\r\n{"type":`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    const answer = await fetch(`${api.url}/healthz`);
    expect(answer.status).toBe(200);
  });
});
