import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createInngestClient } from "@synap/service";
import { Inngest } from "inngest";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEventApi, type EventApi } from "./event-api.ts";

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly events: unknown;
}

const logger = pino({ level: "silent" });
const parcel = {
  json: '[{"name":"t/one","id":"e-1","ts":1795245027142,"data":{"a":"ü"}}]',
  entropy: "AAECAwQFBgcICQ==",
};
const accepted = (response: ServerResponse) => void response.end('{"ids":["01M7"],"status":200}');

describe("Inngest's event API", () => {
  const received: Received[] = [];
  let server: Server;
  let url: string;
  let answer: (response: ServerResponse, request: IncomingMessage) => void;
  let eventApi: EventApi;

  beforeEach(async () => {
    received.length = 0;
    answer = accepted;
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const { method, url, headers } = request;
      received.push({ method, url, headers, events: JSON.parse(Buffer.concat(chunks).toString()) });
      answer(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    eventApi = createEventApi(createInngestClient({ baseUrl: url, eventKey: "key", isDev: true, logger }));
  });
  afterEach(async () => {
    eventApi.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("receives the same request as from the SDK", async () => {
    await eventApi.send(parcel, 1_000);
    const sdk = new Inngest({ id: "synap", baseUrl: url, eventKey: "key", isDev: true, logger });
    await sdk.send({ name: "t/one", id: "e-1", ts: 1795245027142, data: { a: "ü" } });
    const [ours, theirs] = received;
    expect({ ...ours, headers: undefined }).toEqual({ ...theirs, headers: undefined });
    const seed = "x-inngest-event-id-seed";
    expect(ours?.headers[seed]).toMatch(/^\d{13},[A-Za-z0-9+/]{14}==$/);
    expect(String(theirs?.headers[seed])).toMatch(/^\d{13},[A-Za-z0-9+/]{14}==$/);
    // What belongs to fetch and to the connection is none of Inngest's business.
    const ofTransport = [
      "connection",
      "accept",
      "accept-language",
      "accept-encoding",
      "sec-fetch-mode",
      seed,
    ];
    for (const name of Object.keys(theirs?.headers ?? {})) {
      if (!ofTransport.includes(name)) expect(ours?.headers[name], name).toBe(theirs?.headers[name]);
    }
  });

  it("keeps one seed for all attempts of a send, so that the ids stay the same", async () => {
    let left = 2;
    answer = (response) => {
      if (left-- === 0) return accepted(response);
      response.statusCode = 500;
      response.end("oops");
    };
    await eventApi.send(parcel, 3_000);
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ headers }) => headers["x-inngest-event-id-seed"])).size).toBe(1);
  });

  it("accepts only a confirmation, not a page with status 200", async () => {
    answer = (response) => void response.end("<html>Welcome to the coffee shop's network</html>");
    await expect(eventApi.send(parcel, 100)).rejects.toThrow("within 100 ms");
  });

  it("reuses a connection, and opens a new one when the server has closed it", async () => {
    const sockets = new Set<unknown>();
    answer = (response, request) => {
      sockets.add(request.socket);
      accepted(response);
    };
    await eventApi.send(parcel, 1_000);
    await eventApi.send(parcel, 1_000);
    expect(sockets.size).toBe(1);
    server.closeIdleConnections();
    await eventApi.send(parcel, 1_000);
    expect(sockets.size).toBe(2);
    expect(received).toHaveLength(3);
  });

  it("reports a missing key before anything is sent to the cloud", async () => {
    const cloud = createEventApi(createInngestClient({ baseUrl: url, isDev: false, logger }));
    await expect(cloud.send(parcel, 1_000)).rejects.toThrow("INNGEST_EVENT_KEY is not set");
    expect(received).toHaveLength(0);
  });
});
