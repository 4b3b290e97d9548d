import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Inngest } from "inngest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractFunctions, type Note } from "./contract-functions.ts";
import { openTestApp, type TestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

/** A server that the contract is run against. */
export interface ServerUnderTest {
  readonly url: string;
  stop(): Promise<void>;
}

/** How a server is started, and which tests don't apply to it. */
export interface InngestServerFactory {
  readonly name: string;
  /** Resolves when the server answers. It must ask `appUrl` to register, or the contract does it in its place. */
  start(appUrl: string): Promise<ServerUnderTest>;
  /** Milliseconds between attempts: what the server's knob was set to. */
  readonly retryDelay: number;
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

/** What apps may rely on, whatever server they talk to: driven through the real SDK on real ports. */
export function describeInngestServer(factory: InngestServerFactory): void {
  const check = (name: string, test: () => Promise<void>) => {
    const skipped = factory.skip?.find((entry) => entry.test === name);
    it.skipIf(skipped !== undefined)(skipped ? `${name} (not here: ${skipped.reason})` : name, test);
  };

  describe(`Inngest server: ${factory.name}`, { concurrent: true }, () => {
    const tag = `c${randomBytes(4).toString("hex")}`;
    const notes: Note[] = [];
    let app: TestApp;
    let server: ServerUnderTest;
    let client: Inngest;

    const found = (what: string, fits: (details: Record<string, unknown>) => boolean = () => true) =>
      notes.filter((note) => note.what === what && fits(note.details));
    const send = (name: string, data: Record<string, unknown> = {}, more: { id?: string } = {}) =>
      client.send({ name: `${tag}/${name}`, data, ...more });
    /** The result of the one run of a function whose event carries `k`. */
    const result = async (functionId: string, k?: unknown) => {
      const end = await until(`${functionId} has finished`, () =>
        found("finished", ({ function_id, event }) => {
          const data = (event as { data: Record<string, unknown> }).data;
          return function_id === `${tag}-${functionId}` && (k === undefined || data["k"] === k);
        }).at(0),
      );
      return end.details;
    };
    const post = async (body: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${server.url}/e/test`, { method: "POST", body, headers });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };

    beforeAll(async () => {
      app = await openTestApp();
      server = await factory.start(app.url);
      client = testClient(tag, server.url);
      app.serve(
        client,
        contractFunctions(client, tag, (what, details = {}) => notes.push({ what, details, at: Date.now() })),
      );
      const answer = await fetch(app.url, { method: "PUT", body: "{}" });
      expect(await answer.json()).toMatchObject({ message: "Successfully registered" });
    });
    afterAll(async () => {
      await server?.stop();
      await app?.close();
    });

    check("answers GET /health", async () => {
      const response = await fetch(`${server.url}/health`);
      expect(await response.json()).toEqual({ status: 200, message: "OK" });
      expect(response.headers.get("x-inngest-server-kind")).toBe("dev");
    });

    check("says that a registration sent again changes nothing", async () => {
      const answer = await fetch(app.url, { method: "PUT", body: "{}" });
      expect(await answer.json()).toEqual({ message: "Successfully registered", modified: false });
    });

    check("refuses a registration without an app id", async () => {
      const body = JSON.stringify({
        url: app.url,
        appName: "",
        functions: [],
        deployType: "ping",
        sdk: "js:v4",
        v: "0.1",
      });
      const response = await fetch(`${server.url}/fn/register`, { method: "POST", body });
      expect([response.status, await response.json()]).toEqual([
        400,
        expect.objectContaining({ error: "App ID required", status: 400 }),
      ]);
    });

    check("runs a function for an event, with an id, a user and a time", async () => {
      const { ids } = await send("plain", { k: "one" });
      const run = await until("plain ran", () => found("plain", ({ event }) => keyOf(event) === "one").at(0));
      expect(ids).toEqual([expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/)]);
      expect(run.details["event"]).toMatchObject({
        id: ids[0],
        name: `${tag}/plain`,
        data: { k: "one" },
        ts: expect.any(Number),
        user: {},
      });
      expect(run.details["attempt"]).toBe(0);
      expect(await result("plain", "one")).toMatchObject({
        result: { seen: "one" },
        run_id: run.details["runId"],
        _inngest: { status: "Completed" },
      });
    });

    check("runs a function once for each of many events", async () => {
      const keys = Array.from({ length: 250 }, (_, index) => `many-${index}`);
      const { ids } = await client.send(keys.map((k) => ({ name: `${tag}/plain`, data: { k } })));
      expect(new Set(ids).size).toBe(250);
      const seen = () => found("plain", ({ event }) => String(keyOf(event)).startsWith("many-"));
      await until("all ran", () => seen().length >= 250, 25_000);
      await sleep(300);
      expect(
        seen()
          .map(({ details }) => keyOf(details["event"]))
          .sort(),
      ).toEqual([...keys].sort());
    });

    check("takes an event of 2.9 MiB", async () => {
      await send("plain", { k: "large", text: "x".repeat(2.9 * 1024 * 1024) });
      const run = await until("plain ran", () =>
        found("plain", ({ event }) => keyOf(event) === "large").at(0),
      );
      expect((run.details["event"] as { data: { text: string } }).data.text).toHaveLength(3_040_870);
    });

    check("keeps text as it is: quotes, NUL, emoji, what looks like markup", async () => {
      const odd = `"\\ \0 \u2028 😀 </script> é ${"\ud800"}`.replace("\ud800", "");
      await send("plain", { k: "odd", odd, [odd]: [1.5, -0.1, 1e21, null, true] });
      const run = await until("plain ran", () => found("plain", ({ event }) => keyOf(event) === "odd").at(0));
      expect((run.details["event"] as { data: unknown }).data).toEqual({
        k: "odd",
        odd,
        [odd]: [1.5, -0.1, 1e21, null, true],
      });
    });

    check("starts a function once for an event id, whatever comes with it later", async () => {
      const id = `${tag}-same`;
      const first = await send("plain", { k: "first" }, { id });
      const run = await until("plain ran", () =>
        found("plain", ({ event }) => keyOf(event) === "first").at(0),
      );
      expect((run.details["event"] as { id: string }).id).toBe(id);
      const second = await send("plain", { k: "second" }, { id });
      expect(second.ids).not.toEqual(first.ids);
      await sleep(1_000);
      expect(found("plain", ({ event }) => keyOf(event) === "second")).toHaveLength(0);
    });

    check("derives internal ids from the seed and takes a repeated request once", async () => {
      const seed = { "x-inngest-event-id-seed": `${Date.now()},6kkjlNVPWzztzQ==` };
      const body = JSON.stringify([1, 2].map((n) => ({ name: `${tag}/plain`, data: { k: `seed-${n}` } })));
      const first = await post(body, seed);
      const second = await post(body, seed);
      expect(first.body["ids"]).toEqual([expect.stringMatching(/VEE$/), expect.stringMatching(/VEF$/)]);
      expect(second.body["ids"]).toEqual(first.body["ids"]);
      await until(
        "both ran",
        () => found("plain", ({ event }) => String(keyOf(event)).startsWith("seed-")).length >= 2,
      );
      await sleep(1_000);
      expect(found("plain", ({ event }) => String(keyOf(event)).startsWith("seed-"))).toHaveLength(2);
    });

    check("answers bad events as the Inngest server does", async () => {
      const wrong: [string, number, string | undefined][] = [
        ["[]", 200, undefined],
        ["", 200, undefined],
        ['"x"', 400, "Request body must contain an event object or an array of event objects"],
        ["null", 400, "Request body must contain an event object or an array of event objects"],
        ["[null]", 400, "event name is empty"],
        ['{"name":""}', 400, "event name is empty"],
        ['{"name":"InnGest/foo","data":{}}', 400, "event name is reserved for internal use: InnGest/foo"],
        ['{"name":"a/b","ts":-5}', 400, "timestamp is before Jan 1, 1980"],
        [
          '{"name":"a/b","data":[1]}',
          400,
          "json: cannot unmarshal array into Go struct field raw.data of type map[string]interface {}",
        ],
        ['{"name":5}', 400, "json: cannot unmarshal number into Go struct field raw.name of type string"],
        [
          '{"name":"a/b","ts":"x"}',
          400,
          "json: cannot unmarshal string into Go struct field raw.ts of type int64",
        ],
        [
          '{"name":"a/b","id":5}',
          400,
          "json: cannot unmarshal number into Go struct field raw.id of type string",
        ],
        ["[1]", 400, "json: cannot unmarshal number into Go value of type event.raw"],
      ];
      for (const [body, status, error] of wrong) {
        const expected = { ids: [""], status, ...(error === undefined ? {} : { error }) };
        expect([body, await post(body)]).toEqual([body, { status, body: expected }]);
      }
      const broken = await post("{bad");
      expect([broken.status, broken.body["status"]]).toEqual([400, 400]);
    });

    check("accepts the events before a bad one", async () => {
      const name = `${tag}/plain`;
      const answer = await post(
        JSON.stringify([{ name, data: { k: "before" } }, { name: "" }, { name, data: { k: "behind" } }]),
      );
      expect(answer).toMatchObject({ status: 400, body: { status: 400, error: "event name is empty" } });
      expect(answer.body["ids"]).toHaveLength(1);
      await until("the first ran", () => found("plain", ({ event }) => keyOf(event) === "before").at(0));
      expect(found("plain", ({ event }) => keyOf(event) === "behind")).toHaveLength(0);
    });

    check("limits an event to 3 MiB and a request to 5,000 events", async () => {
      const large = await post(JSON.stringify({ name: "a/b", data: { text: "x".repeat(3 * 1024 * 1024) } }));
      expect(large.status).toBe(400);
      expect(large.body["error"]).toMatch(
        /^Event is over the max size: Max 3145728 bytes \/ Size \d+ bytes$/,
      );
      const many = await post(
        JSON.stringify(Array.from({ length: 5_001 }, () => ({ name: `${tag}/nobody` }))),
      );
      expect(many).toMatchObject({
        status: 400,
        body: { error: "Cannot have more than 5000 events in a batch" },
      });
      expect(many.body["ids"]).toHaveLength(5_000);
    });

    check("runs each step once, whatever number of calls it takes", async () => {
      await send("steps", { k: "memo" });
      expect(await result("steps", "memo")).toMatchObject({ result: { a: { v: 1 }, b: 2, nothing: null } });
      expect([found("step a").length, found("step b").length]).toEqual([1, 1]);
      expect(found("steps called")).toHaveLength(2);
      const [a, b] = [found("step a")[0]?.at ?? 0, found("step b")[0]?.at ?? 0];
      expect(b - a).toBeGreaterThanOrEqual(950);
    });

    check("runs functions that don't save steps in the middle of a call", async () => {
      await send("classic");
      expect(await result("classic")).toMatchObject({ result: 3 });
      expect(app.calls.filter(({ functionId }) => functionId === `${tag}-classic`)).toHaveLength(3);
    });

    check("retries a failed step, and only that, with its own attempts", async () => {
      await send("flaky-step");
      expect(await result("flaky-step")).toMatchObject({ result: 2 });
      expect(found("sure step")).toHaveLength(1);
      expect(found("flaky step").map(({ details }) => details["attempt"])).toEqual([0, 1, 2]);
    });

    check("gives up after the last attempt and calls onFailure with the error and the event", async () => {
      await send("exhausted", { k: "given up" });
      const failure = await until("onFailure was called", () => found("onFailure").at(0));
      expect(found("exhausted").map(({ details }) => details["attempt"])).toEqual([0, 1]);
      expect(failure.details).toMatchObject({ message: "gave up at 1", event: { data: { k: "given up" } } });
      const [first, second] = found("exhausted");
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(factory.retryDelay * 0.6);
      expect(await result("exhausted")).toMatchObject({
        _inngest: { status: "Failed" },
        error: { name: "Error", message: "gave up at 1", error: "NonRetriableError" },
      });
    });

    check("waits as long as RetryAfterError says", async () => {
      await send("retry-after");
      expect(await result("retry-after")).toMatchObject({ result: 1 });
      const [first, second] = found("retry-after");
      // The server counts in whole seconds.
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(1_900);
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(4_500);
    });

    check("doesn't retry a NonRetriableError", async () => {
      await send("never", { k: "never" });
      const failure = await until("onFailure was called", () => found("never failed").at(0));
      expect(found("never").map(({ details }) => details["attempt"])).toEqual([0]);
      expect(failure.details).toMatchObject({
        name: "NonRetriableError",
        message: "never again",
        event: { name: `${tag}/never`, data: { k: "never" } },
      });
      expect(failure.details["cause"]).toMatchObject({ message: "the cause" });
    });

    check("lets a function catch a step that failed for good", async () => {
      await send("caught");
      expect(await result("caught")).toMatchObject({ result: "step is bad" });
    });

    check("sleeps until a date", async () => {
      await send("until");
      const { result: slept } = await result("until");
      // Dates are kept in whole seconds by the server.
      expect(slept).toBeGreaterThan(400);
      expect(slept).toBeLessThan(4_000);
    });

    check("takes events that a step sends", async () => {
      await send("sender", { k: "sent" });
      expect(await result("sender")).toMatchObject({ result: 2 });
      await until(
        "both ran",
        () => found("plain", ({ event }) => String(keyOf(event)).startsWith("sent-")).length === 2,
      );
    });

    check("invokes functions and hands on their results, errors and silence", async () => {
      await send("invoker");
      expect(await result("invoker")).toMatchObject({
        result: {
          good: { doubled: 42 },
          bad: "child failed",
          late: "Timed out waiting for invoked function to complete",
          missing: `could not find function with ID: ${tag}-nobody`,
        },
      });
    });

    check("waits for the event that an expression picks, or gives null when none comes", async () => {
      await Promise.all([send("waiter", { k: "w1" }), send("waiter", { k: "w2" })]);
      await until(
        "both wait",
        () => app.calls.filter(({ functionId }) => functionId === `${tag}-waiter`).length >= 2,
      );
      await sleep(700);
      await send("answer", { to: "nobody" });
      await send("answer", { to: "w2", n: 2 });
      await send("answer", { to: "w1", n: 1 });
      expect(await result("waiter", "w1")).toMatchObject({
        result: { answer: { to: "w1", n: 1 }, none: null },
      });
      expect(await result("waiter", "w2")).toMatchObject({
        result: { answer: { to: "w2", n: 2 }, none: null },
      });
    });

    check("runs parallel steps once each and goes on when all are done", async () => {
      await send("parallel");
      expect(await result("parallel")).toMatchObject({ result: ["p1b", 2, null, "after"] });
      expect(found("parallel step")).toHaveLength(2);
    });

    check("retries one of several parallel steps alone", async () => {
      await send("parallel-flaky");
      expect(await result("parallel-flaky")).toMatchObject({ result: ["good", "flaky 1"] });
      expect(found("parallel good")).toHaveLength(1);
    });

    check("collects batches by key, until they are full or their time is up", async () => {
      const users = ["a", "a", "a", "a", "b"];
      const started = Date.now();
      await client.send(users.map((u, n) => ({ name: `${tag}/batch`, data: { u, n } })));
      await until("three batches ran", () => found("batch").length >= 3);
      const batches = found("batch");
      const sizes = batches.map(({ details, at }) => ({
        user: details["user"],
        size: (details["numbers"] as unknown[]).length,
        waited: at - started > 1_500,
      }));
      expect(sizes).toEqual(
        expect.arrayContaining([
          { user: "a", size: 3, waited: false },
          { user: "a", size: 1, waited: true },
          { user: "b", size: 1, waited: true },
        ]),
      );
      expect(batches.flatMap(({ details }) => details["numbers"]).sort()).toEqual([0, 1, 2, 3, 4]);
      for (const { details } of batches) expect(details["first"]).toBe((details["numbers"] as unknown[])[0]);
    });

    check("starts a function once per idempotency key; a missing key limits nothing", async () => {
      for (const [n, order] of ["x", "x", "y", undefined, undefined].entries())
        await send("once", { n, order });
      await until("four ran", () => found("once").length >= 4);
      await sleep(700);
      const orders = found("once").map(({ details }) => details["order"] ?? "none");
      expect(orders.sort()).toEqual(["none", "none", "x", "y"]);
    });

    check("keeps to a function's concurrency limit", async () => {
      await client.send([1, 2, 3, 4].map((n) => ({ name: `${tag}/one-by-one`, data: { n } })));
      const ran = await until("all ran", () => {
        const all = found("occupied", ({ group }) => group === "one");
        return all.length === 4 && all;
      });
      expect(ran.map(({ details }) => details["together"])).toEqual([1, 1, 1, 1]);
    });

    check("keeps to a concurrency limit per key, and lets other keys pass", async () => {
      const users = ["a", "a", "a", "b", "b"];
      await client.send(users.map((u) => ({ name: `${tag}/per-key`, data: { u } })));
      const ran = await until("all ran", () => {
        const all = found("occupied", ({ group }) => String(group).startsWith("user "));
        return all.length === 5 && all;
      });
      expect(ran.map(({ details }) => details["together"])).toEqual([1, 1, 1, 1, 1]);
      const place = (group: string, nth: number) =>
        ran.filter(({ details }) => details["group"] === group)[nth]?.at ?? 0;
      expect(place("user b", 0)).toBeLessThan(place("user a", 2));
    });

    check(
      "matches wildcards and expressions, and starts a function once though two triggers match",
      async () => {
        await send("wild.a.b");
        await send("wild");
        await send("choosy", { n: 3, kind: "good", always: true });
        await send("choosy", { n: 4, kind: "bad" });
        await send("choosy", { n: 5, kind: "good" });
        await until("three ran", () => found("wild").length + found("choosy").length >= 3);
        await sleep(700);
        expect(found("wild").map(({ details }) => details["name"])).toEqual([`${tag}/wild.a.b`]);
        expect(
          found("choosy")
            .map(({ details }) => details["n"])
            .sort(),
        ).toEqual([3, 5]);
      },
    );
  });
}

function keyOf(event: unknown): unknown {
  return (event as { data: { k?: unknown } }).data.k;
}
