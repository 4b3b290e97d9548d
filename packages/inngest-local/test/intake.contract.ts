import { expect } from "vitest";
import { type ContractHarness, keyOf } from "./contract-harness.ts";
import { until } from "./until.ts";

/** Registration, and acceptance of events. */
export function describeIntake(on: ContractHarness): void {
  on.check("answers GET /health", async () => {
    const response = await fetch(`${on.server.url}/health`);
    expect(await response.json()).toEqual({ status: 200, message: "OK" });
    const kind = on.server.signingKey === undefined ? "dev" : "cloud";
    expect(response.headers.get("x-inngest-server-kind")).toBe(kind);
  });

  on.check("reports a repeated registration as not modified", async () => {
    const answer = await fetch(on.app.url, { method: "PUT", body: "{}" });
    expect(await answer.json()).toEqual({ message: "Successfully registered", modified: false });
  });

  on.check("refuses a registration without an app id", async () => {
    const body = JSON.stringify({
      url: on.app.url,
      appName: "",
      functions: [],
      deployType: "ping",
      sdk: "js:v4",
      v: "0.1",
    });
    const response = await fetch(`${on.server.url}/fn/register`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...on.authorization },
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ error: "App ID required", status: 400 }),
    ]);
  });

  on.check("runs a function for an event, with an id, a user and a time", async () => {
    const { ids } = await on.send("plain", { k: "one" });
    const run = await until("plain ran", () =>
      on.found("plain", ({ event }) => keyOf(event) === "one").at(0),
    );
    expect(ids).toEqual([expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/)]);
    expect(run.details["event"]).toMatchObject({
      id: ids[0],
      name: `${on.tag}/plain`,
      data: { k: "one" },
      ts: expect.any(Number),
      user: {},
    });
    expect(run.details["attempt"]).toBe(0);
    expect(await on.result("plain", "one")).toMatchObject({
      result: { seen: "one" },
      run_id: run.details["runId"],
      _inngest: { status: "Completed" },
    });
  });

  on.check("runs a function once for each of many events", async () => {
    const keys = Array.from({ length: 150 }, (_, index) => `many-${index}`);
    const { ids } = await on.client.send(keys.map((k) => ({ name: `${on.tag}/plain`, data: { k } })));
    expect(new Set(ids).size).toBe(150);
    const seen = () => on.found("plain", ({ event }) => String(keyOf(event)).startsWith("many-"));
    await until("all ran", () => seen().length >= 150);
    await on.runOneMore("plain");
    expect(
      seen()
        .map(({ details }) => keyOf(details["event"]))
        .sort(),
    ).toEqual([...keys].sort());
  });

  on.check("accepts an event of 2.9 MiB", async () => {
    await on.send("plain", { k: "large", text: "x".repeat(2.9 * 1024 * 1024) });
    const run = await until("plain ran", () =>
      on.found("plain", ({ event }) => keyOf(event) === "large").at(0),
    );
    expect((run.details["event"] as { data: { text: string } }).data.text).toHaveLength(3_040_870);
  });

  on.check("keeps text unchanged: quotes, NUL, emoji, markup", async () => {
    const odd = `"\\ \0 \u2028 😀 </script> é ${"\ud800"}`.replace("\ud800", "");
    await on.send("plain", { k: "odd", odd, [odd]: [1.5, -0.1, 1e21, null, true] });
    const run = await until("plain ran", () =>
      on.found("plain", ({ event }) => keyOf(event) === "odd").at(0),
    );
    expect((run.details["event"] as { data: unknown }).data).toEqual({
      k: "odd",
      odd,
      [odd]: [1.5, -0.1, 1e21, null, true],
    });
  });

  on.check("starts a function once for an event id, even if later data differ", async () => {
    const id = `${on.tag}-same`;
    const first = await on.send("plain", { k: "first" }, { id });
    const run = await until("plain ran", () =>
      on.found("plain", ({ event }) => keyOf(event) === "first").at(0),
    );
    expect((run.details["event"] as { id: string }).id).toBe(id);
    const second = await on.send("plain", { k: "second" }, { id });
    expect(second.ids).not.toEqual(first.ids);
    await on.runOneMore("plain");
    expect(on.found("plain", ({ event }) => keyOf(event) === "second")).toHaveLength(0);
  });

  on.check("derives internal ids from the seed and accepts a repeated request once", async () => {
    const seed = { "x-inngest-event-id-seed": `${Date.now()},6kkjlNVPWzztzQ==` };
    const body = JSON.stringify([1, 2].map((n) => ({ name: `${on.tag}/plain`, data: { k: `seed-${n}` } })));
    const first = await on.post(body, seed);
    const second = await on.post(body, seed);
    expect(first.body["ids"]).toEqual([expect.stringMatching(/VEE$/), expect.stringMatching(/VEF$/)]);
    expect(second.body["ids"]).toEqual(first.body["ids"]);
    await until(
      "both ran",
      () => on.found("plain", ({ event }) => String(keyOf(event)).startsWith("seed-")).length >= 2,
    );
    await on.runOneMore("plain");
    expect(on.found("plain", ({ event }) => String(keyOf(event)).startsWith("seed-"))).toHaveLength(2);
  });

  on.check("answers invalid events as the Inngest server does", async () => {
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
      expect([body, await on.post(body)]).toEqual([body, { status, body: expected }]);
    }
    const broken = await on.post("{bad");
    expect([broken.status, broken.body["status"]]).toEqual([400, 400]);
  });

  on.check("accepts the events before an invalid one", async () => {
    const name = `${on.tag}/plain`;
    const answer = await on.post(
      JSON.stringify([{ name, data: { k: "before" } }, { name: "" }, { name, data: { k: "behind" } }]),
    );
    expect(answer).toMatchObject({ status: 400, body: { status: 400, error: "event name is empty" } });
    expect(answer.body["ids"]).toHaveLength(1);
    await until("the first ran", () => on.found("plain", ({ event }) => keyOf(event) === "before").at(0));
    expect(on.found("plain", ({ event }) => keyOf(event) === "behind")).toHaveLength(0);
  });

  on.check("limits an event to 3 MiB and a request to 5,000 events", async () => {
    const large = await on.post(JSON.stringify({ name: "a/b", data: { text: "x".repeat(3 * 1024 * 1024) } }));
    expect(large.status).toBe(400);
    expect(large.body["error"]).toMatch(/^Event is over the max size: Max 3145728 bytes \/ Size \d+ bytes$/);
    const many = await on.post(
      JSON.stringify(Array.from({ length: 5_001 }, () => ({ name: `${on.tag}/nobody` }))),
    );
    expect(many).toMatchObject({
      status: 400,
      body: { error: "Cannot have more than 5000 events in a batch" },
    });
    // The real server answers before it has counted all events, so an id may be missing.
    expect((many.body["ids"] as unknown[]).length).toBeGreaterThanOrEqual(4_990);
  });
}
