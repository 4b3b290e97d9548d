import { afterEach, describe, expect, it } from "vitest";
import { problem, type ScriptedApi, type SeenRequest, startScriptedApi } from "../test/scripted-api.ts";
import { createSynapClient, LostFramesError, SubscriptionGapError } from "./index.ts";

let api: ScriptedApi | undefined;
afterEach(() => api?.stop());

/** A position that was read up to. */
interface Progress {
  readonly upTo: number;
}
const END = 100;

/** The text of one connection: where it begins, then an event at each position, and progress. */
function sent(from: number, ...frames: readonly (number | Progress)[]): string {
  let [after, number] = [from, 0];
  const progress = (position: number, end?: number) => {
    const data = JSON.stringify({ after, number, position, caughtUp: position > from, end });
    after = position;
    return `id: ${position}\nevent: progress\ndata: ${data}\n\n`;
  };
  const event = (position: number) => {
    number += 1;
    const data = JSON.stringify({ number, after, event: { position } });
    after = position;
    return `id: ${position}\ndata: ${data}\n\n`;
  };
  const begin = progress(from, END);
  const texts = frames.map((each) => (typeof each === "number" ? event(each) : progress(each.upTo)));
  return `retry: 1000\n\n${begin}${texts.join("")}`;
}
const fromOf = ({ url }: SeenRequest) => new URL(url, "http://x").searchParams.get("from");

/** An API whose live streams send these texts, one for each connection. */
async function clientOf(...streams: readonly string[]) {
  let next = 0;
  api = await startScriptedApi(() => {
    const text = streams[next];
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
const streams = () => api?.requests.filter(({ url }) => url.includes("/stream")) ?? [];

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
    const client = await clientOf(sent(0, 1), sent(1, 2));
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

  it("goes on after the last event when the connection ends, and counts what it received on all of them", async () => {
    const client = await clientOf(sent(0, 1, 3), sent(3, 4), `: nothing new\n\n${sent(4, 9, { upTo: 20 })}`);
    const counted: number[] = [];
    const onProgress = ({ received }: { received: number }) => void counted.push(received);
    const { positions, error } = await positionsUntilItEnds(client.subscribe({ from: "start", onProgress }));
    expect(positions).toEqual([1, 3, 4, 9]);
    expect(error).toMatchObject({ code: "token-invalid" });
    expect(streams().map(fromOf)).toEqual(["0", "3", "4", "20"]);
    expect(counted).toEqual([0, 2, 3, 4]);
  });

  it("goes on after what it read without a match", async () => {
    const client = await clientOf(sent(7, { upTo: 50 }), sent(50, 60));
    const seen: number[] = [];
    await positionsUntilItEnds(
      client.subscribe({ from: 7, onProgress: ({ position }) => void seen.push(position) }),
    );
    expect(streams().map(fromOf)).toEqual(["7", "50", "60"]);
    expect(seen).toEqual([7, 50, 50]);
  });

  it("from now on begins where the first connection says, also when it ends before the first event", async () => {
    const client = await clientOf("", sent(42), sent(42, 43));
    const { positions } = await positionsUntilItEnds(client.subscribe());
    expect(positions).toEqual([43]);
    expect(streams().map(fromOf)).toEqual(["now", "now", "42", "43"]);
  });

  const whole = sent(5, 6, 8, { upTo: 9 }, 10).split(/(?<=\n\n)/);
  it.each([
    ["an event was lost", whole.toSpliced(2, 1), [6, 8, 10]],
    ["the first event was lost", whole.toSpliced(2, 2), [6, 8, 10]],
    ["progress was lost", whole.toSpliced(4, 1), [6, 8, 10]],
    ["an event comes twice", whole.toSpliced(3, 0, whole[2] ?? ""), [6, 8, 10]],
    ["two events change places", [...whole.slice(0, 2), whole[3] ?? "", whole[2] ?? ""], [6, 8, 10]],
  ])("connects again after the last event that it has accounted for when %s", async (_, frames, all) => {
    const good = (from: number) => sent(from, ...all.filter((position) => position > from));
    let connections = 0;
    api = await startScriptedApi(({ url }) => {
      connections += 1;
      const from = Number(new URL(url, "http://x").searchParams.get("from"));
      if (connections > 2) return problem(403, "token-invalid");
      return (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(connections === 1 ? frames.join("") : good(from));
      };
    });
    const reasons: unknown[] = [];
    const client = createSynapClient({ url: api.url });
    const { positions } = await positionsUntilItEnds(
      client.subscribe({ from: 5, onReconnect: (reason) => void reasons.push(reason) }),
    );
    expect(positions).toEqual(all);
    expect(reasons[0]).toBeInstanceOf(LostFramesError);
  });

  it("makes a connection anew no sooner than Retry-After says", async () => {
    const times: number[] = [];
    api = await startScriptedApi(() => {
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
    const client = await clientOf(`${sent(0, 1)}event: problem\ndata: ${data}\n\n`, sent(1, 2));
    const { positions, error } = await positionsUntilItEnds(client.subscribe({ from: "start" }));
    expect(positions).toEqual([1, 2]);
    expect(error).toMatchObject({ code: "token-invalid" });
  });

  it("ends with an error when the store is behind what it has read", async () => {
    const client = await clientOf(sent(80, 190), sent(190));
    const { positions, error } = await positionsUntilItEnds(client.subscribe({ from: 80 }));
    expect(positions).toEqual([190]);
    expect(error).toBeInstanceOf(SubscriptionGapError);
    expect(error).toMatchObject({ position: 190, storePosition: END });
  });

  it.each(["onProgress", "onConnect"] as const)("ends with the error of %s", async (callback) => {
    const client = await clientOf(sent(7, { upTo: 50 }), sent(50, { upTo: 60 }));
    const fail = () => {
      throw new TypeError("a fault of the program");
    };
    const { error } = await positionsUntilItEnds(client.subscribe({ from: 7, [callback]: fail }));
    expect(error).toEqual(new TypeError("a fault of the program"));
    expect(streams()).toHaveLength(1);
  });

  it("is closed when the loop is left", async () => {
    let closed = () => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    api = await startScriptedApi(() => (_request, response) => {
      response.on("close", closed);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(sent(0, 1));
    });
    const client = createSynapClient({ url: api.url });
    for await (const event of client.subscribe({ from: "start" })) {
      expect(event.position).toBe(1);
      break;
    }
    await isClosed;
  });
});
