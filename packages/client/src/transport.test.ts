import { afterEach, describe, expect, it } from "vitest";
import {
  broken,
  problem,
  type ScriptedApi,
  type ScriptedResponse,
  startScriptedApi,
} from "../test/scripted-api.ts";
import {
  createSynapClient,
  isProblem,
  SynapProblem,
  SynapResponseError,
  SynapUnreachableError,
  SynapUrlError,
} from "./index.ts";

let api: ScriptedApi | undefined;
afterEach(() => api?.stop());

/** A client of an API that gives these responses, the last one for good. */
async function clientOf(...responses: readonly ScriptedResponse[]) {
  let next = 0;
  const started = await startScriptedApi(() => {
    const answer = responses[Math.min(next, responses.length - 1)];
    next += 1;
    return answer ?? broken;
  });
  api = started;
  const client = createSynapClient({
    url: `${started.url}/`,
    token: () => "the-token",
    actor: "user:ada",
    retry: { firstMs: 1, maxMs: 2, attempts: 4 },
  });
  return { client, requests: started.requests };
}
const health = { status: 200, body: { status: "ok" } };
const accepted = { status: 202, body: { status: "accepted", id: "i" } };
const note = { type: "note.created", data: { text: "x" } };

describe("a request", () => {
  it("is repeated while the connection breaks or the API is unavailable, and returns the final response", async () => {
    const away = problem(503, "database-unavailable", {}, { "retry-after": "0" });
    const { client, requests } = await clientOf(broken, away, { status: 502, body: "<html>" }, health);
    expect(await client.health()).toEqual({ status: "ok" });
    expect(requests).toHaveLength(4);
  });

  it("gives the last reason when the attempts have run out", async () => {
    const { client, requests } = await clientOf(problem(503, "not-ready"));
    await expect(client.readiness()).rejects.toMatchObject({ code: "not-ready" });
    expect(requests).toHaveLength(4);
  });

  it("waits as long as Retry-After says, for the events of a batch that stayed open as well", async () => {
    const results = [{ status: "unavailable", id: "i", index: 0 }];
    const responses = [
      problem(503, "not-ready", {}, { "retry-after": "60" }),
      problem(503, "broker-unavailable", { results }, { "retry-after": "60" }),
    ];
    api = await startScriptedApi(() => responses.shift() ?? broken);
    let stop = new AbortController();
    const waits: [code: unknown, waitMs: number][] = [];
    const client = createSynapClient({
      url: api.url,
      retry: {
        firstMs: 1,
        onRetry: (fault, waitMs) => {
          waits.push([fault instanceof SynapProblem && fault.code, waitMs]);
          stop.abort(new Error("enough"));
        },
      },
    });
    await expect(client.health({ signal: stop.signal })).rejects.toThrow("enough");
    stop = new AbortController();
    await expect(client.publishBatch([note as never], { signal: stop.signal })).rejects.toThrow("enough");
    expect(waits).toEqual([
      ["not-ready", 60_000],
      ["broker-unavailable", 60_000],
    ]);
  });

  it("is given up where the pause would exceed the time for retries, and each pause is reported", async () => {
    const waits = ["0", "3600"];
    const started = await startScriptedApi(() =>
      problem(503, "broker-unavailable", {}, { "retry-after": waits.shift() ?? "0" }),
    );
    api = started;
    const faults: unknown[] = [];
    const client = createSynapClient({
      url: started.url,
      retry: {
        attempts: Number.POSITIVE_INFINITY,
        firstMs: 1,
        patienceMs: 60_000,
        onRetry: (fault) => faults.push(fault),
      },
    });
    await expect(client.status()).rejects.toMatchObject({ code: "broker-unavailable" });
    expect(faults).toMatchObject([{ code: "broker-unavailable" }]);
    expect(started.requests).toHaveLength(2);
  });

  it("isn't repeated when the API refused it", async () => {
    const { client, requests } = await clientOf(problem(422, "event-invalid"));
    await expect(client.publish(note)).rejects.toBeInstanceOf(SynapProblem);
    expect(requests).toHaveLength(1);
  });

  it("carries the same event id in every attempt", async () => {
    const { client, requests } = await clientOf(broken, broken, accepted);
    await client.publish(note);
    const ids = requests.map(({ body }) => body.id);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it("that executes a command carries the same Idempotency-Key in every attempt", async () => {
    const { client, requests } = await clientOf(broken, {
      status: 201,
      body: { aggregateType: "lamp", aggregateId: "l", version: 1, state: {}, events: [], repeated: false },
    });
    const lamps = client.aggregates({ type: "lamp", path: "lamps" });
    await lamps.execute("l", { type: "switch", data: { on: true } } as never, { expectedVersion: 3 });
    const keys = requests.map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).toBeDefined();
    expect(keys[1]).toBe(keys[0]);
    expect(requests[0]?.headers["if-match"]).toBe('"3"');
  });

  it("of an operator is sent again only when nothing was done: not after a broken connection", async () => {
    const { client, requests } = await clientOf(broken, health);
    await expect(client.admin.pauseProjection("p")).rejects.toBeInstanceOf(SynapUnreachableError);
    expect(requests).toHaveLength(1);
  });

  it("carries the token, and that of an operator the actor too", async () => {
    const { client, requests } = await clientOf(health);
    await client.health();
    await client.admin.projection("p");
    expect(requests.map(({ headers }) => [headers.authorization, headers["x-synap-actor"]])).toEqual([
      ["Bearer the-token", undefined],
      ["Bearer the-token", "user:ada"],
    ]);
  });

  it("ends with the signal's reason, during a pause too", async () => {
    const { client } = await clientOf(problem(503, "not-ready", {}, { "retry-after": "60" }));
    const stop = new AbortController();
    const call = client.health({ signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await expect(call).rejects.toThrow("enough");
  });

  it("that reads carries the highest position of an answer, and that of its caller only once", async () => {
    const seen = {
      status: 200,
      headers: { "x-synap-position": "4096" },
      body: { id: "i", type: "t", events: [] },
    };
    const { client, requests } = await clientOf(seen, { ...seen, headers: { "x-synap-position": "2048" } });
    await client.getEvent("i", { minPosition: 900_000 });
    await client.getEvent("i", { minPosition: 1 });
    await client.getEvent("i");
    await client.getStream({ aggregateType: "note", aggregateId: "n" }, { minPosition: 8_192 });
    await client.query({ minPosition: 8_193 }).next();
    await client.history({ aggregateType: "note", aggregateId: "n" }, { minPosition: 8_194 }).next();
    const stream = client.readStream({ aggregateType: "note", aggregateId: "n" }, { minPosition: 8_195 });
    await stream.next();
    const positions = requests.map(({ headers }) => headers["x-synap-position"]);
    expect(positions).toEqual(["900000", "4096", "4096", "8192", "8193", "8194", "8195"]);
  });

  it("that waits names the position and the seconds, and asks again until its time is up", async () => {
    const behind = problem(503, "position-not-reached", {}, { "retry-after": "0" });
    const seen = { status: 200, headers: { "x-synap-position": "9216" }, body: { tasks: [] } };
    const { client, requests } = await clientOf(behind, seen, behind);
    await client.readModels.openTasks({ owner: "ada", after: 4_096, waitSeconds: 20 });
    await expect(client.readModel("open-orders", {}, { after: 2_048, waitSeconds: 0 })).rejects.toMatchObject(
      {
        code: "position-not-reached",
      },
    );
    expect(requests.map(({ url, headers }) => [url, headers["prefer"], headers["x-synap-position"]])).toEqual(
      [
        ["/api/v1/tasks?owner=ada", "wait=10", "4096"],
        ["/api/v1/tasks?owner=ada", "wait=10", "4096"],
        ["/api/v1/open-orders", "wait=0", "2048"],
      ],
    );
  });

  it("encodes the parameters of its path", async () => {
    const { client, requests } = await clientOf(problem(404, "stream-not-found"));
    expect(await client.getStream({ aggregateType: "note", aggregateId: "a/b ?ü" })).toBeUndefined();
    expect(requests[0]?.url).toBe("/api/v1/streams/note/a%2Fb%20%3F%C3%BC?limit=1");
  });
});

describe("a response", () => {
  it("that is a problem has the members of its code", async () => {
    const { client } = await clientOf(
      problem(409, "optimistic-lock", { expectedVersion: 1, actualVersion: 7 }),
    );
    const error = await client.append({ aggregateType: "note", aggregateId: "n" }, [note]).catch((e) => e);
    if (!isProblem(error, "optimistic-lock")) throw new Error("another error", { cause: error });
    expect(error.problem.actualVersion).toBe(7);
  });

  it("that doesn't come from Synap is an error that says so", async () => {
    const { client } = await clientOf((_request, response) => response.writeHead(404).end("<html>"));
    const error = await client.status().catch((e) => e);
    expect(error).toBeInstanceOf(SynapResponseError);
    expect(error.message).toContain("doesn't look like Synap's API (status 404)");
  });

  it("that never comes is an error that names the address and the reason", async () => {
    const client = createSynapClient({ url: "http://127.0.0.1:9", retry: { attempts: 1 } });
    const error = await client.status().catch((e) => e);
    expect(error).toBeInstanceOf(SynapUnreachableError);
    expect(error.message).toMatch(/^The API at http:\/\/127\.0\.0\.1:9 can't be reached: /);
  });
});

describe("the time limit of an attempt", () => {
  it("ends a question, and never an operation that may not be repeated", async () => {
    const responses = { status: 200, body: { differences: [] } };
    const late: ScriptedResponse = (_request, response) => {
      setTimeout(() => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(responses.body));
      }, 200);
    };
    const started = await startScriptedApi(() => late);
    api = started;
    const client = createSynapClient({
      url: started.url,
      token: "t",
      timeoutMs: 20,
      retry: { attempts: 1 },
    });
    await expect(client.admin.projections()).rejects.toBeInstanceOf(SynapUnreachableError);
    expect(await client.admin.compareProjection("tasks-view")).toEqual(responses.body);
  });
});

it("gives one page of dead letters, from a cursor on", async () => {
  const page = { deadLetters: [], nextCursor: "further" };
  const { client, requests } = await clientOf({ status: 200, body: page });
  expect(await client.admin.deadLetterPage({ status: "open", pageSize: 5, cursor: "here" })).toEqual(page);
  expect(requests.map(({ url }) => url)).toEqual([
    "/api/v1/admin/dead-letters?status=open&cursor=here&limit=5",
  ]);
});

it.each(["127.0.0.1:3400", "localhost:3400", "ftp://127.0.0.1", "http://", "", "/api"])(
  "refuses %j as the URL of an API, when the client is made",
  (url) => {
    expect(() => createSynapClient({ url })).toThrow(SynapUrlError);
    expect(() => createSynapClient({ url })).toThrow("it has to begin with http:// or https://");
  },
);

it.each([
  ["", "must not be empty"],
  [".", "must not be . or .., which are steps in a path"],
  ["..", "must not be . or .., which are steps in a path"],
  ["a\ud800", "must not hold half of a surrogate pair"],
])("refuses the name %j, by which nothing can be reached, without a request", async (name, reason) => {
  const { client, requests } = await clientOf(health);
  const stream = { aggregateType: "note", aggregateId: name };
  const notes = client.aggregates<Notes>({ type: "note", path: "notes" });
  for (const call of [
    () => client.readStream(stream).next(),
    () => client.append(stream, [note]),
    () => client.getStream(stream),
    () => notes.execute(name, { type: "write", data: {} }),
    () => notes.load(name),
    () => client.admin.projection(name),
  ]) {
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    expect(isProblem(error, "parameter-invalid") && error.problem.errors).toMatchObject([{ reason }]);
  }
  expect(requests).toEqual([]);
});

interface Notes {
  evolve(state: never, event: never): { readonly text: string };
  decide(command: { readonly type: "write"; readonly data: object }, state: never): unknown;
}
