import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type LoadOptions, loadFile } from "./load-file.ts";

// A server with injectable failures, which the real API rarely produces. scripts/test loads through the real API.
const eventSchema = z.looseObject({ id: z.string() });
type Event = z.infer<typeof eventSchema>;
type ScriptedResponse = { status: number; body?: unknown; headers?: Record<string, string> } | "hang up";

let directory: string;
let file: string;
let server: Server;
let url: string;
let received: Event[];
let bodies: string[];
let answerNext: (events: Event[]) => ScriptedResponse | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "synap-load-"));
  file = join(directory, "events.ndjson");
  received = [];
  bodies = [];
  answerNext = () => undefined;
  server = createServer(async (request, response) => {
    if (request.url === "/healthz") {
      response.end("{}");
      return;
    }
    const body = await readBody(request);
    const { events } = z.object({ events: z.array(eventSchema) }).parse(JSON.parse(body));
    const answer = answerNext(events) ?? accept(events, body);
    if (answer === "hang up") {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(JSON.stringify(answer.body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

function accept(events: Event[], body: string): ScriptedResponse {
  bodies.push(body);
  const results = events.map(({ id }, index) => ({
    index,
    id,
    status: received.some((known) => known.id === id) ? "duplicate" : "accepted",
  }));
  received.push(...events.filter(({ id }) => !received.some((known) => known.id === id)));
  return { status: 202, body: { results } };
}

const run = (options: Partial<LoadOptions> = {}) =>
  loadFile({
    file,
    url,
    backfill: false,
    batch: 10,
    inFlight: 4,
    patienceMs: 2_000,
    restart: false,
    asNew: false,
    signal: new AbortController().signal,
    ...options,
  });

const numbered = (from: number, to: number) =>
  Array.from(
    { length: to - from + 1 },
    (_, index) => `${JSON.stringify({ type: "t.done", data: { n: from + index } })}\n`,
  ).join("");

describe("loading a file", () => {
  it("sends each line once, in batches, with ids that stay the same in every run", async () => {
    writeFileSync(file, numbered(1, 95));
    const first = await run();
    expect(first.counts).toEqual({ accepted: 95, duplicate: 0, rejected: 0 });
    expect(new Set(received.map(({ id }) => id)).size).toBe(95);
    const again = await run({ restart: true });
    expect(again.counts).toEqual({ accepted: 0, duplicate: 95, rejected: 0 });
  });

  it("fills in missing fields with the same values in every run", async () => {
    writeFileSync(
      file,
      '{"type":"t.done","data":{}}\n{}\n{"timestamp":"2026-01-01T00:00:00Z","aggregateId":"a"}\n',
    );
    await run();
    await run({ restart: true });
    expect(bodies[1]).toBe(bodies[0]);
    expect(received[2]).toMatchObject({ timestamp: "2026-01-01T00:00:00Z", aggregateId: "a" });
  });

  it("sends the text of a line unchanged, so that no number is rounded", async () => {
    const line = '{"type":"t.done",  "data":{"big":9007199254740993,"small":1e-400,"a":1,"a":2}}';
    writeFileSync(
      file,
      `\uFEFF${line}\r\n\r\n{"id":"7f1c39a4-0000-4000-8000-000000000000","type":"t.done","data":{}}`,
    );
    await run();
    expect(bodies[0]).toContain(line.slice(1));
    expect(received.map(({ id }) => id)).toContain("7f1c39a4-0000-4000-8000-000000000000");
  });

  it("continues after the last answered line when it was stopped", async () => {
    writeFileSync(file, numbered(1, 200));
    const stop = new AbortController();
    answerNext = () => {
      if (received.length >= 60) stop.abort();
      return undefined;
    };
    await expect(run({ signal: stop.signal })).rejects.toThrow();
    answerNext = () => undefined;
    const starts: unknown[] = [];
    const result = await run({ onStart: (start) => starts.push(start) });
    expect(starts).toMatchObject([{ kind: "resumed" }]);
    expect(received).toHaveLength(200);
    expect(result.lines).toBe(200);
    expect(result.counts.accepted + result.counts.duplicate).toBe(200);
  });

  it("sends only added lines when the file has grown", async () => {
    writeFileSync(file, numbered(1, 15));
    await run();
    appendFileSync(file, numbered(16, 20));
    expect((await run()).lines).toBe(20);
    expect(received).toHaveLength(20);
    expect(bodies.at(-1)?.match(/"n"/g)).toHaveLength(5);
  });

  it.each([
    ["was cut off", (text: string) => text.slice(0, -20)],
    ["was edited before its end", (text: string) => text.replace('"n":7', '"n":8')],
    ["was replaced by a longer one", () => numbered(500, 520)],
  ])("refuses a file that %s, and loads it as another file with --new", async (_how, change) => {
    const before = numbered(1, 15);
    writeFileSync(file, before);
    await run();
    const after = change(before);
    writeFileSync(file, after);
    await expect(run()).rejects.toMatchObject({ code: "FILE_CHANGED" });
    await expect(run({ restart: true })).rejects.toMatchObject({ code: "FILE_CHANGED" });
    expect(received).toHaveLength(15);
    const starts: unknown[] = [];
    const result = await run({ asNew: true, onStart: (start) => starts.push(start) });
    expect(starts).toMatchObject([{ kind: "new", line: 0 }]);
    expect(result.counts.accepted).toBe(after.split("\n").length - 1);
    expect((await run()).lines).toBe(result.lines);
  });

  it("sends a last line without a line break when it is complete, with one id", async () => {
    const [first = "", second = ""] = [numbered(1, 1), numbered(2, 2)];
    writeFileSync(file, first + second.slice(0, 12));
    expect(await run()).toMatchObject({ lines: 1, unfinished: true, counts: { accepted: 1, rejected: 0 } });
    expect(await run()).toMatchObject({ lines: 1, unfinished: true });
    writeFileSync(file, first + second.trimEnd());
    expect(await run()).toMatchObject({ lines: 2, unfinished: false, counts: { accepted: 2 } });
    writeFileSync(file, `${first}${second.trimEnd()} \r`);
    expect(await run()).toMatchObject({ lines: 2, unfinished: false });
    writeFileSync(file, `${first}${second.trimEnd()} \r\n${numbered(3, 3)}`);
    expect(await run()).toMatchObject({ lines: 3, counts: { accepted: 3, duplicate: 0 } });
    expect(received).toHaveLength(3);
    expect(await run({ restart: true })).toMatchObject({ counts: { accepted: 0, duplicate: 3 } });
  });

  it("refuses to continue when a line that was sent as a complete event was extended", async () => {
    writeFileSync(file, numbered(1, 1).trimEnd());
    await run();
    appendFileSync(file, ' {"more":1}\n');
    await expect(run()).rejects.toMatchObject({
      code: "FILE_CHANGED",
      message: expect.stringContaining("has been extended"),
    });
  });

  it("refuses a file that another load is reading, and leaves that one alone", async () => {
    writeFileSync(file, numbered(1, 40));
    let second: Promise<unknown> | undefined;
    answerNext = () => {
      second ??= run().catch((error: unknown) => error);
      return undefined;
    };
    expect((await run()).lines).toBe(40);
    expect(await second).toMatchObject({
      code: "FILE_IN_USE",
      message: expect.stringContaining(`Process ${process.pid} has been loading ${file} since 20`),
    });
    expect(received).toHaveLength(40);
    expect((await run({ restart: true })).counts).toMatchObject({ duplicate: 40 });
  });

  it("refuses to start over when its state can't be read", async () => {
    writeFileSync(file, numbered(1, 5));
    await run();
    const statePath = join(`${file}.synap-load`, "state.json");
    const state = readFileSync(statePath, "utf8");
    for (const broken of ["", state.slice(0, 40), "{}"]) {
      writeFileSync(statePath, broken);
      await expect(run()).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
    }
    rmSync(statePath);
    mkdirSync(statePath);
    await expect(run()).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
    rmSync(statePath, { recursive: true });
    writeFileSync(statePath, state);
    expect((await run()).counts).toEqual({ accepted: 5, duplicate: 0, rejected: 0 });
    expect(received).toHaveLength(5);
  });

  it("reports a file that changed while it was read", async () => {
    writeFileSync(file, numbered(1, 40));
    answerNext = () => {
      writeFileSync(file, numbered(500, 539));
      return undefined;
    };
    await expect(run()).rejects.toMatchObject({
      code: "FILE_CHANGED",
      message: expect.stringContaining("changed while it was read"),
    });
  });

  it("reads one file to its end when another one replaces it meanwhile, and appended lines the next time", async () => {
    writeFileSync(file, numbered(1, 40));
    answerNext = () => {
      answerNext = () => undefined;
      appendFileSync(file, numbered(41, 45));
      renameSync(file, `${file}.old`);
      writeFileSync(file, numbered(500, 510));
      return undefined;
    };
    expect((await run({ inFlight: 1 })).lines).toBe(40);
    expect(received).toHaveLength(40);
    await expect(run()).rejects.toMatchObject({ code: "FILE_CHANGED" });
    renameSync(`${file}.old`, file);
    expect((await run()).lines).toBe(45);
    expect(received).toHaveLength(45);
  });

  it("stores the same events however a file grows and wherever a run ends", async () => {
    const line = fc.oneof(
      fc.nat(9).map((n) => `{"type":"t.done","data":{"n":${n},"text":"\u00e9 \u{1f600}"}}`),
      fc.uuid({ version: 4 }).map((id) => `{"id":"${id}","timestamp":"2026-01-01T00:00:00Z"}`),
      fc.constantFrom("", "  ", "no json", "[1]", "{}"),
    );
    const text = fc
      .tuple(
        fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", " \n")), { maxLength: 12 }),
        fc.constantFrom("", '{"last":1}', "{}\n"),
      )
      .map(([lines, last]) => lines.flat().join("") + last);
    const stops = fc.array(fc.record({ at: fc.nat(), end: fc.constantFrom("run", "stop", "no response") }), {
      maxLength: 6,
    });
    let files = 0;
    await fc.assert(
      fc.asyncProperty(text, stops, async (whole, growths) => {
        files += 1;
        file = join(directory, `grown-${files}.ndjson`);
        received = [];
        bodies = [];
        answerNext = () => undefined;
        const bytes = Buffer.from(whole);
        const cuts = growths
          .map(({ at, end }) => ({ size: at % (bytes.length + 1), end }))
          .sort((a, b) => a.size - b.size);
        for (const { size, end } of cuts) {
          writeFileSync(file, bytes.subarray(0, size));
          const stop = new AbortController();
          answerNext = (events) => {
            if (end === "run") return undefined;
            stop.abort();
            if (end === "no response") accept(events, "");
            return "hang up";
          };
          await run({ batch: 2, inFlight: 2, signal: stop.signal }).catch((error: unknown) => {
            if (!stop.signal.aborted) throw error;
          });
        }
        answerNext = () => undefined;
        writeFileSync(file, bytes);
        await run({ batch: 2 });

        const events = whole
          .split("\n")
          .flatMap((each) => (each.trim().startsWith("{") ? [JSON.parse(each)] : []));
        const sent = new Map(received.map((event) => [event.id, event]));
        expect(sent.size).toBe(received.length);
        expect(received).toHaveLength(events.length);
        // One load of the whole file at once: each line has the id, the time and the place that it had.
        const atOnce: Event[] = [];
        answerNext = (batch) => {
          atOnce.push(...batch);
          return undefined;
        };
        const again = await run({ restart: true, inFlight: 1 });
        expect(again.counts).toMatchObject({ accepted: 0, duplicate: events.length });
        expect(atOnce).toMatchObject(events);
        expect(atOnce).toEqual(atOnce.map(({ id }) => sent.get(id)));
      }),
      { numRuns: 60 },
    );
  });

  it("waits when the API is busy, as long as requested, and when the connection breaks", async () => {
    writeFileSync(file, numbered(1, 10));
    const bad: ScriptedResponse[] = [
      { status: 503, headers: { "retry-after": "1" } },
      "hang up",
      { status: 500 },
    ];
    answerNext = () => bad.shift();
    const waits: number[] = [];
    const result = await run({ patienceMs: 10_000, onWait: (_reason, ms) => waits.push(ms) });
    expect(result.counts.accepted).toBe(10);
    expect(waits).toHaveLength(3);
    expect(waits[0]).toBe(1000);
  });

  it("gives up after the maximum wait, and can continue later", async () => {
    writeFileSync(file, numbered(1, 10));
    answerNext = () => ({ status: 503 });
    await expect(run({ patienceMs: 300 })).rejects.toMatchObject({ code: "API_UNREACHABLE" });
    answerNext = () => undefined;
    expect((await run()).counts.accepted).toBe(10);
  });

  it("reports rejected lines with number, reason and text, whether rejected here or by the API", async () => {
    const bad = '{"type":"t.done","data":{"n":"x"}}';
    writeFileSync(
      file,
      Buffer.concat([Buffer.from(`${numbered(1, 2)}${bad}\nno json\n[]\n`), Buffer.from([0xff, 0x0a])]),
    );
    answerNext = (events) => ({
      status: 202,
      body: {
        results: events.map((_, index) =>
          index === 2
            ? {
                index,
                status: "rejected",
                path: "data.n",
                code: "invalid-type",
                reason: "must be a number",
              }
            : { index, status: "accepted" },
        ),
      },
    });
    const result = await run({ batch: 3 });
    expect(result.counts).toEqual({ accepted: 2, duplicate: 0, rejected: 4 });
    const report = readFileSync(result.rejectedPath ?? "", "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(report).toMatchObject([
      { line: 3, code: "invalid-type", path: "data.n", reason: "must be a number", original: bad },
      { line: 4, code: "invalid-json", original: "no json" },
      { line: 5, code: "not-an-object", original: "[]" },
      { line: 6, code: "invalid-utf8" },
    ]);
    rmSync(result.rejectedPath ?? "");
    answerNext = () => undefined;
  });

  it("finds the one event that causes a whole batch to be refused", async () => {
    writeFileSync(file, numbered(1, 16));
    answerNext = (events) =>
      events.some(({ data }) => z.object({ n: z.literal(11) }).safeParse(data).success)
        ? { status: 413, body: { status: 413, code: "body-too-large", title: "Too large", detail: "It is." } }
        : undefined;
    const result = await run({ batch: 16 });
    expect(result.counts).toEqual({ accepted: 15, duplicate: 0, rejected: 1 });
    expect(JSON.parse(readFileSync(result.rejectedPath ?? "", "utf8"))).toMatchObject({
      line: 11,
      code: "body-too-large",
    });
  });

  it("reports problems of the file, the address and the token", async () => {
    await expect(run()).rejects.toThrow(/There is no file/);
    writeFileSync(file, numbered(1, 1));
    await expect(run({ url: "http://127.0.0.1:65533" })).rejects.toThrow(
      /can't be reached: nothing listens there/,
    );
    answerNext = () => ({
      status: 401,
      body: { status: 401, code: "token-invalid", title: "Unauthorized", detail: "The token is wrong." },
    });
    await expect(run({ backfill: true, token: "x" })).rejects.toThrow(
      /The token is wrong\.\nGive an API key with the scopes publish and backfill/,
    );
    answerNext = () => ({ status: 404 });
    await expect(run()).rejects.toMatchObject({ code: "NOT_SYNAP" });
  });
});
