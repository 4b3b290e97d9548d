import { afterEach, describe, expect, it } from "vitest";
import { problem, type ScriptedApi, type SeenRequest, startScriptedApi } from "../test/scripted-api.ts";
import { createSynapClient, SubscriptionGapError } from "./index.ts";

let api: ScriptedApi | undefined;
afterEach(() => api?.stop());

const frame = (position: number) => `id: ${position}\ndata: ${JSON.stringify({ position })}\n\n`;
const progress = (position: number) =>
  `id: ${position}\nevent: progress\ndata: ${JSON.stringify({ position, caughtUp: true })}\n\n`;
const fromOf = ({ url }: SeenRequest) => new URL(url, "http://x").searchParams.get("from");

/** An API whose log ends at `watermark`, and whose tails send these texts, one for each connection. */
async function clientOf(watermark: () => number, ...tails: readonly string[]) {
  let next = 0;
  api = await startScriptedApi(({ url }) => {
    if (url.startsWith("/api/v1/status"))
      return { status: 200, body: { events: { watermark: watermark() } } };
    const text = tails[next];
    next += 1;
    if (text === undefined) return problem(403, "token-invalid");
    return (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      // Cut anywhere: a frame may come in pieces.
      response.write(text.slice(0, 7));
      setImmediate(() => response.end(text.slice(7)));
    };
  });
  return createSynapClient({ url: api.url, token: "t" });
}
const tails = () => api?.requests.filter(({ url }) => url.includes("/tail")) ?? [];

async function positionsUntilItEnds(events: AsyncIterable<{ readonly position: number }>) {
  const positions: number[] = [];
  try {
    for await (const { position } of events) positions.push(position);
  } catch (error) {
    return { positions, error };
  }
  return { positions, error: undefined };
}

describe("a subscription", () => {
  it("reports each connection that is open, and ends with what its caller throws instead of a new one", async () => {
    const client = await clientOf(() => 100, frame(1), frame(2));
    let connections = 0;
    const given = new Error("no more");
    const { positions, error } = await positionsUntilItEnds(
      client.subscribe({
        from: "start",
        onConnect: () => {
          connections += 1;
        },
        onReconnect: () => {
          if (connections === 2) throw given;
        },
      }),
    );
    expect([positions, error, connections]).toEqual([[1, 2], given, 2]);
  });

  it("goes on after the last event when the connection ends", async () => {
    const client = await clientOf(
      () => 100,
      `retry: 1000\n\n${frame(1)}${frame(3)}`,
      frame(4),
      `: nothing new\n\n${frame(9)}`,
    );
    const { positions, error } = await positionsUntilItEnds(client.subscribe({ from: "start" }));
    expect(positions).toEqual([1, 3, 4, 9]);
    expect(error).toMatchObject({ code: "token-invalid" });
    expect(tails().map(fromOf)).toEqual(["0", "3", "4", "9"]);
  });

  it("goes on after what it read without a match", async () => {
    const client = await clientOf(() => 100, progress(50), frame(60));
    const seen: number[] = [];
    await positionsUntilItEnds(
      client.subscribe({ from: 7, onProgress: ({ position }) => void seen.push(position) }),
    );
    expect(tails().map(fromOf)).toEqual(["7", "50", "60"]);
    expect(seen).toEqual([50]);
  });

  it("from now on begins at the end of the log, also when the first connection fails", async () => {
    let end = 41;
    const client = await clientOf(() => ++end, "", frame(43));
    const { positions } = await positionsUntilItEnds(client.subscribe());
    expect(positions).toEqual([43]);
    expect(tails().map(fromOf)).toEqual(["42", "42", "43"]);
  });

  it("makes a connection anew no sooner than Retry-After says", async () => {
    const times: number[] = [];
    api = await startScriptedApi(({ url }) => {
      if (url.startsWith("/api/v1/status")) return { status: 200, body: { events: { watermark: 1 } } };
      times.push(performance.now());
      return times.length === 1
        ? problem(503, "too-many-tails", { limit: 1 }, { "retry-after": "0.6" })
        : problem(403, "token-invalid");
    });
    const client = createSynapClient({ url: api.url });
    await positionsUntilItEnds(client.subscribe({ from: "start" }));
    // Without the header it would be 250 ms at most.
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(590);
  });

  it("connects again when its token has ended, and ends when there is no new one", async () => {
    const data = JSON.stringify({ status: 401, code: "credential-ended", title: "ended", detail: "expired" });
    const client = await clientOf(() => 2, `${frame(1)}event: problem\ndata: ${data}\n\n`, frame(2));
    const { positions, error } = await positionsUntilItEnds(client.subscribe({ from: "start" }));
    expect(positions).toEqual([1, 2]);
    expect(error).toMatchObject({ code: "token-invalid" });
  });

  it("ends with an error when the store is behind what it has read", async () => {
    let end = 100;
    const client = await clientOf(() => end, frame(90), frame(91));
    const { positions, error } = await positionsUntilItEnds(
      client.subscribe({
        from: 80,
        onReconnect: () => {
          end = 85;
        },
      }),
    );
    expect(positions).toEqual([90]);
    expect(error).toBeInstanceOf(SubscriptionGapError);
    expect(error).toMatchObject({ position: 90, storePosition: 85 });
  });

  it("ends with an error when an event comes again", async () => {
    const client = await clientOf(() => 100, frame(5) + frame(5));
    const { error } = await positionsUntilItEnds(client.subscribe({ from: "start" }));
    expect(error).toBeInstanceOf(SubscriptionGapError);
  });

  it.each(["onProgress", "onConnect"] as const)("ends with the error of %s", async (callback) => {
    const client = await clientOf(() => 100, progress(50), progress(60));
    const fail = () => {
      throw new TypeError("a fault of the program");
    };
    const { error } = await positionsUntilItEnds(client.subscribe({ from: 7, [callback]: fail }));
    expect(error).toEqual(new TypeError("a fault of the program"));
    expect(tails()).toHaveLength(1);
  });

  it("is closed when the loop is left", async () => {
    let closed = () => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    api = await startScriptedApi(({ url }) =>
      url.includes("/tail")
        ? (_request, response) => {
            response.on("close", closed);
            response.writeHead(200, { "content-type": "text/event-stream" });
            response.write(frame(1));
          }
        : { status: 200, body: { events: { watermark: 0 } } },
    );
    const client = createSynapClient({ url: api.url });
    for await (const event of client.subscribe({ from: "start" })) {
      expect(event.position).toBe(1);
      break;
    }
    await isClosed;
  });
});
