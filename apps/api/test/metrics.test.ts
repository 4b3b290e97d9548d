import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

const HELP = /^# HELP ([a-z][a-z0-9_]*) (?:[^\\\n]|\\\\|\\n)+$/;
const TYPE = /^# TYPE ([a-z][a-z0-9_]*) (?:gauge|counter|histogram)$/;
/** The suffixes of a histogram's series. */
const SERIES = /_(?:bucket|sum|count)$/;
const LABEL = /[a-z][a-z0-9_]*="(?:[^\\"\n]|\\\\|\\"|\\n)*"/;
const SAMPLE = new RegExp(
  `^([a-z][a-z0-9_]*)(\\{${LABEL.source}(?:,${LABEL.source})*\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]\\d+)?)$`,
);

/** Every series and its value. Throws at the first line, or order of lines, that the format doesn't allow. */
function parse(text: string): Map<string, number> {
  if (!text.endsWith("\n")) throw new Error("the last line doesn't end");
  const series = new Map<string, number>();
  const families = new Set<string>();
  let expected = "HELP";
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, helped] = HELP.exec(line) ?? [];
    const [, typed] = TYPE.exec(line) ?? [];
    const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
    if (helped !== undefined && expected !== "TYPE" && expected !== "first sample" && !families.has(helped)) {
      families.add(helped);
      family = helped;
      expected = "TYPE";
    } else if (typed === family && expected === "TYPE") {
      expected = "first sample";
    } else if (
      name?.replace(SERIES, "") === family.replace(SERIES, "") &&
      (expected === "first sample" || expected === "any") &&
      !series.has(name + labels)
    ) {
      series.set(name + labels, Number(value));
      expected = "any";
    } else throw new Error(`not allowed here: ${line}`);
  }
  return series;
}

describe.each(testEngines())("GET /metrics (%s)", (engine) => {
  let api: TestApi;
  let firstPosition = 0;
  const note = (content: string) => createSynapEvent({ type: "note.creation.requested", data: { content } });
  const scrape = async () => {
    const response = await fetch(`${api.url}/metrics`);
    const text = await response.text();
    expect([response.status, text]).toEqual([200, expect.any(String)]);
    return { response, text, series: parse(text) };
  };

  beforeAll(async () => {
    api = await startTestApi({}, engine);
    const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
    const [first] = await store.appendBatch([note("one"), note("two")]);
    if (first?.status !== "stored") throw new Error("not stored");
    firstPosition = first.position;
    await store.append(note("three"));
    const send = (path: string, body: unknown, headers = {}) =>
      fetch(`${api.url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
    const wrong = { type: "note.creation.requested", data: { contents: "wrong" } };
    await send("/api/v1/events", note("published"));
    await send("/api/v1/events", wrong);
    await send("/api/v1/events/batch", { events: [note("four"), note("five"), wrong] });
    await send("/api/v1/streams/note/n1/events", {
      expectedVersion: "any",
      events: [{ type: "note.creation.requested", data: { content: "appended" } }],
    });
    await send("/api/v1/events", note("from a page"), { origin: "https://evil.example" });
    await fetch(`${api.url}/nowhere`);
    await api.database.query(
      "INSERT INTO synap.checkpoints (handler, \"position\") VALUES ('mailer', $1), ($2, 0)",
      [firstPosition, 'of "C:\\new"\nthings'],
    );
  });
  afterAll(() => api.stop());

  it("answers in the text format, every line of which parses", async () => {
    const { response, series } = await scrape();
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(response.headers.get("x-request-id")).not.toBeNull();
    expect(new Set([...series.keys()].map((key) => key.replace(/\{.*/s, "").replace(SERIES, "")))).toEqual(
      new Set([
        "synap_build_info",
        "synap_http_request_duration_seconds",
        "synap_published_events_total",
        "synap_append_duration_seconds",
        "synap_events_stored",
        "synap_streams",
        "synap_last_position",
        "synap_watermark",
        "synap_handler_checkpoint",
        "synap_handler_lag_events",
        "synap_dead_letters",
        "synap_not_stored_dead_letters",
        "synap_in_transit_age_seconds",
        "synap_other_processes",
        "synap_event_type_differences",
        "synap_database_bytes",
        "synap_chain_lag_events",
        "synap_archived_events",
        "synap_missing_chunks",
        "synap_unfinished_erasures",
        "synap_skipped_snapshots",
        ...(engine === "server"
          ? [
              "synap_database_connections_max",
              "synap_database_connections_busy",
              "synap_database_connections_waiting",
            ]
          : []),
        "synap_publisher_queued_events",
        "synap_pages_reserved_bytes",
        "synap_pages_max_bytes",
        "synap_pages_waiting",
        "synap_publisher_queued_bytes",
        "synap_publisher_in_flight",
      ]),
    );
  });

  it("counts requests by route and status, including unmatched ones and those refused before routing", async () => {
    const { series } = await scrape();
    const count = (route: string, method: string, status: number) =>
      series.get(
        `synap_http_request_duration_seconds_count{route="${route}",method="${method}",status="${status}"}`,
      );
    expect(count("/api/v1/events", "POST", 202)).toBe(1);
    expect(count("/api/v1/events", "POST", 422)).toBe(1);
    expect(count("/api/v1/streams/{aggregateType}/{aggregateId}/events", "POST", 201)).toBe(1);
    expect(count("unmatched", "GET", 404)).toBe(1);
    expect(count("refused", "POST", 403)).toBe(1);
    expect(count("/metrics", "GET", 200)).toBeGreaterThan(0);
  });

  it("counts what became of events, and appends", async () => {
    const { series } = await scrape();
    expect(series.get('synap_published_events_total{outcome="accepted"}')).toBe(3);
    expect(series.get('synap_published_events_total{outcome="rejected"}')).toBe(2);
    expect(series.get('synap_append_duration_seconds_count{operation="stream",outcome="done"}')).toBe(1);
    expect(
      series.get('synap_append_duration_seconds_bucket{le="+Inf",operation="stream",outcome="done"}'),
    ).toBe(1);
  });

  it("agrees with the status", async () => {
    const status = JSON.parse(await (await fetch(`${api.url}/api/v1/status`)).text());
    const { series } = await scrape();
    const { release, timescaledb, events } = status;
    expect(Object.fromEntries(series)).toMatchObject({
      [`synap_build_info{release="${release}",engine="${engine}",timescaledb="${timescaledb.version}"}`]: 1,
      synap_events_stored: 4,
      synap_streams: 4,
      synap_last_position: events.lastPosition,
      synap_watermark: events.watermark,
      'synap_handler_checkpoint{handler="mailer"}': firstPosition,
      'synap_handler_lag_events{handler="mailer"}': 3,
      synap_dead_letters: 0,
      synap_publisher_queued_events: 0,
      synap_publisher_queued_bytes: 0,
      synap_publisher_in_flight: 0,
    });
    expect(series.get("synap_database_bytes")).toBeGreaterThan(1_000_000);
  });

  it("keeps the series of a projection through a rebuild: builds by their role, segments as one", async () => {
    const build = (number: number, role: string) =>
      api.database.query(
        `INSERT INTO synap.projection_builds (projection, build, version, segments, role, mode, tables)
         VALUES ('seats', $1, 1, 2, $2, 'async', '')`,
        [number, role],
      );
    const checkpoint = (name: string, position: number) =>
      api.database.query('INSERT INTO synap.checkpoints (handler, "position") VALUES ($1, $2)', [
        name,
        position,
      ]);
    await build(7, "live");
    await checkpoint("seats/7/1of2", firstPosition);
    await checkpoint("seats/7/2of2", 0);
    await build(8, "building");
    await checkpoint("seats/8/1of2", 0);
    const { series } = await scrape();
    const seats = [...series].filter(([key]) => key.includes("seats"));
    expect(Object.fromEntries(seats)).toEqual({
      'synap_handler_checkpoint{handler="seats",role="live"}': 0,
      'synap_handler_checkpoint{handler="seats",role="building"}': 0,
      'synap_handler_lag_events{handler="seats",role="live"}': 4,
      'synap_handler_lag_events{handler="seats",role="building"}': 4,
    });
  });

  it("escapes what a label may not hold", async () => {
    const { series } = await scrape();
    expect(series.get('synap_handler_lag_events{handler="of \\"C:\\\\new\\"\\nthings"}')).toBe(4);
  });

  it("accepts a scraper's own parameters", async () => {
    expect((await fetch(`${api.url}/metrics?job=synap`)).status).toBe(200);
  });

  // The embedded engine runs one transaction after the other.
  it.runIf(engine === "server")(
    "names the session that holds the watermark back, while it does",
    async () => {
      const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
      await api.database.transaction(async (transaction) => {
        await transaction.query("SET LOCAL application_name = 'an \"odd\" \\ one'");
        await store.appendBatch([note("four")], { transaction });
        const [own] = await transaction.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        const { series, text } = await scrape();
        expect(
          series.get(
            `synap_watermark_holder_age_seconds{pid="${own?.pid}",application="an \\"odd\\" \\\\ one"}`,
          ),
        ).toBeLessThan(30);
        expect(text).not.toMatch(/SELECT|pg_backend_pid/i);
        const read = async (path: string, headers = {}) =>
          (await fetch(`${api.url}${path}`, { headers })).text();
        const statement = /pg_backend_pid/;
        expect(await read("/api/v1/status")).toContain(`"watermarkHolder":{"pid":${own?.pid},`);
        expect(await read("/api/v1/status")).not.toMatch(statement);
        expect(await read("/api/v1/admin/status", { authorization: `Bearer ${TOKEN}` })).toMatch(statement);
      });
      expect((await scrape()).text).not.toContain("watermark_holder");
    },
  );

  // The embedded engine has no logins and one session.
  it.runIf(engine === "server")(
    "counts what lets other logins harm the log, while something does",
    async () => {
      const [connection] = await api.database.query<{ name: string }>(
        "SELECT current_database()::text AS name",
      );
      const change = (statement: string) => api.database.asOwner((owner) => owner.execute(statement));
      expect((await scrape()).text).not.toContain("synap_log_exposures");
      await change(`GRANT CONNECT ON DATABASE ${connection?.name} TO PUBLIC`);
      await change("GRANT INSERT ON synap.events, synap.streams TO PUBLIC");
      const { series } = await scrape();
      expect([...series].filter(([key]) => key.startsWith("synap_log_exposures"))).toEqual([
        ['synap_log_exposures{kind="connect"}', 1],
        ['synap_log_exposures{kind="tables"}', expect.any(Number)],
      ]);
      await change(`REVOKE CONNECT ON DATABASE ${connection?.name} FROM PUBLIC`);
      await change("REVOKE INSERT ON synap.events, synap.streams FROM PUBLIC");
      expect((await scrape()).text).not.toContain("synap_log_exposures");
    },
  );

  it("answers 503 while the database is away", async () => {
    await api.database.close();
    const response = await fetch(`${api.url}/metrics`);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      503,
      "application/problem+json",
    ]);
    expect(await response.json()).toMatchObject({ code: "database-unavailable" });
  });
});
