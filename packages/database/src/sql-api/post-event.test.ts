import { randomUUID } from "node:crypto";
import { defineEventType, type JsonObject, seedCatalogue } from "@synap/types";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { postEvent } from "../../testing/post-event.ts";
import type { EventStore, Transaction } from "../index.ts";
import { createEventStore, syncEventTypes } from "../internal.ts";

const note = (aggregateId: string) => ({
  type: "note.creation.completed",
  aggregateId,
  data: { content: "hi" },
});

/** An event type that allows any data. */
const probeMade = defineEventType({
  name: "probe.made",
  aggregateType: "note",
  description: "Something to try the limits on.",
  schema: z.record(z.string(), z.json()),
  example: { content: "x" },
});
const probe = (aggregateId: string, data: JsonObject) => ({ type: "probe.made", aggregateId, data });

describeOnEveryEngine("synap.post_event", (engine) => {
  let store: EventStore;
  beforeAll(async () => {
    store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    await syncEventTypes(engine.database, seedCatalogue.extend([probeMade]));
  });

  /** Runs work as the role for SQL programs. */
  const asSqlWriter = <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
    engine.database.asOwner(async (owner) => {
      await owner.query("SET LOCAL ROLE synap_sql");
      return work(owner);
    });

  const settings = [
    "standard_conforming_strings = off",
    "backslash_quote = off",
    "DateStyle = 'SQL, DMY'",
    "TimeZone = 'Pacific/Kiritimati'",
    "IntervalStyle = 'sql_standard'",
    "bytea_output = 'escape'",
    "extra_float_digits = '-15'",
    "xmlbinary = 'hex'",
    "search_path = pg_temp",
  ];

  it("is read back unchanged, in pages of the same size, under any settings of the reader", async () => {
    const aggregateId = randomUUID();
    // More than one page of 4 MiB, with numbers and texts whose format depends on settings of the session.
    const large = Array.from({ length: 30 }, (_, index) =>
      probe(aggregateId, {
        content: 'a"\\ '.repeat(30_000),
        number: 0.1 + index,
        list: [1e-7, 123456789.123],
      }),
    );
    for (const event of large) await postEvent(engine.database, event);
    const read = (session: Transaction) =>
      Promise.all(
        ["get_aggregate_events('note', $1)", "get_events(0, 1000) WHERE aggregate_id = $1"].map((source) =>
          session.query(
            `SELECT id::text AS id, stream_version, data, (extract(epoch FROM "timestamp") * 1000)::bigint AS at FROM synap.${source}`,
            [aggregateId],
          ),
        ),
      );
    const [stream, log] = await asSqlWriter(read);
    expect(stream?.length).toBeGreaterThan(1);
    expect(stream?.length).toBeLessThan(large.length);
    for (const setting of settings) {
      const under = await engine.database.asOwner(async (owner) => {
        await owner.query(`SET LOCAL ${setting}`);
        await owner.query("SET LOCAL ROLE synap_sql");
        return read(owner);
      });
      expect({ setting, under }).toEqual({ setting, under: [stream, log] });
    }
  });

  it("waits for the disk, even if the caller's session does not", async () => {
    const commits = async (setting: string) =>
      engine.database.asOwner(async (owner) => {
        await owner.query(`SET LOCAL synchronous_commit = ${setting}`);
        await postEvent(owner, note(randomUUID()));
        const [row] = await owner.query<{ value: string }>(
          "SELECT current_setting('synchronous_commit') AS value",
        );
        return row?.value;
      });
    expect(await commits("off")).toBe("on");
    // Stricter than what readers need, or as strict.
    for (const setting of ["local", "remote_write", "on", "remote_apply"]) {
      expect(await commits(setting)).toBe(setting);
    }
  });

  it.each(settings)("validates and stores the same events when its caller has set %s", async (setting) => {
    // Large enough to be measured exactly, with characters that JSON escapes.
    const data = { content: "hi", list: Array.from({ length: 30_000 }, () => 'a"\\ ') };
    const measure = (session: Transaction) =>
      session.query<{ bytes: number; length: number }>(
        "SELECT synap.event_bytes($1::text::jsonb) AS bytes, synap.utf16_length($2) AS length",
        [JSON.stringify({ data }), "a😀\\"],
      );
    const bytes = Buffer.byteLength(JSON.stringify({ data }));
    expect(bytes).toBeGreaterThan(245_760);
    await engine.database.asOwner(async (owner) => {
      await owner.query(`SET LOCAL ${setting}`);
      expect(await measure(owner)).toEqual([{ bytes, length: 4 }]);
      await owner.query("SET LOCAL ROLE synap_sql");
      const event = { ...note(randomUUID()), timestamp: new Date().toISOString() };
      const posted = await postEvent(owner, event);
      const again = await postEvent(owner, { ...event, id: posted.id });
      expect(again).toEqual({ ...posted, duplicate: true });
    });
    const refusal = engine.database.asOwner(async (owner) => {
      await owner.query(`SET LOCAL ${setting}`);
      await owner.query("SET LOCAL ROLE synap_sql");
      await postEvent(owner, { ...note(randomUUID()), type: "noteXcreation" });
    });
    await expect(refusal).rejects.toMatchObject({
      code: "SY010",
      detail: expect.stringContaining("wrong-format"),
    });
  });

  it("stores an event that the store returns, with the defaults of the TypeScript API", async () => {
    const posted = await postEvent(engine.database, {
      type: "note.creation.completed",
      data: { content: "hi" },
      userId: "u1",
    });
    const event = await store.getById(posted.id);
    expect(event).toMatchObject({
      id: posted.id,
      version: "v1",
      aggregateType: "note",
      aggregateId: posted.id,
      userId: "u1",
      createdBy: "user:u1",
      source: "sql",
      data: { content: "hi" },
      position: posted.position,
      streamVersion: 1,
    });
    expect(posted.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
    expect(Number.parseInt(posted.id.replaceAll("-", "").slice(0, 12), 16)).toBeCloseTo(
      Date.parse((await store.getById(posted.id))?.recordedAt ?? ""),
      -4,
    );
  });

  it("treats a null argument as omitted, and keeps a null inside the data", async () => {
    const [posted] = await engine.database.query<{ id: string }>(`
      SELECT id FROM synap.post_event(
        'probe.made', '{"content":"hi","title":null}', created_by => NULL, source => NULL)`);
    expect(await store.getById(posted?.id ?? "")).toMatchObject({
      data: { content: "hi", title: null },
      createdBy: "system",
      source: "sql",
    });
  });

  it("creates ids that sort by creation time", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      ids.push((await postEvent(engine.database, note("sorted"))).id);
      await new Promise((done) => setTimeout(done, 2));
    }
    expect(ids).toEqual([...ids].sort());
  });

  describe("compares the stream with the expected version", () => {
    it.each([
      ["any", 0],
      ["no-stream", 0],
      ["0", 0],
      ["stream-exists", 1],
      ["1", 1],
    ])("%s at version %i is met", async (expected, actual) => {
      const id = randomUUID();
      for (let version = 0; version < actual; version += 1) await postEvent(engine.database, note(id));
      expect(await postEvent(engine.database, note(id), expected)).toMatchObject({
        stream_version: actual + 1,
      });
    });

    it.each([
      ["no-stream", 1],
      ["stream-exists", 0],
      ["0", 1],
      ["2", 1],
    ])("%s at version %i is refused, naming both", async (expected, actual) => {
      const id = randomUUID();
      for (let version = 0; version < actual; version += 1) await postEvent(engine.database, note(id));
      await expect(postEvent(engine.database, note(id), expected)).rejects.toMatchObject({
        code: "SY001",
        detail: expect.stringContaining(`"actual": ${actual}`),
      });
    });

    it("lets one of several concurrent appends that expect no stream succeed", async () => {
      const id = randomUUID();
      const attempts = await Promise.allSettled(
        [1, 2, 3, 4].map(() => postEvent(engine.database, note(id), "no-stream")),
      );
      expect(attempts.filter((attempt) => attempt.status === "fulfilled")).toHaveLength(1);
    });

    it("refuses an invalid expected version", async () => {
      await expect(postEvent(engine.database, note("n"), "-1")).rejects.toMatchObject({
        code: "SY010",
        detail: expect.stringContaining('"path": "expectedVersion"'),
      });
    });
  });

  describe("recognises a repeated event", () => {
    it("by its id, with and without an expected version", async () => {
      const event = { ...note(randomUUID()), id: randomUUID() };
      const first = await postEvent(engine.database, event, "no-stream");
      expect(first.duplicate).toBe(false);
      expect(await postEvent(engine.database, event, "no-stream")).toEqual({ ...first, duplicate: true });
      expect(await postEvent(engine.database, event)).toEqual({ ...first, duplicate: true });
    });

    it("by its creator's idempotency key, through either API", async () => {
      const key = { idempotencyKey: randomUUID(), createdBy: "agent:importer" };
      const first = await postEvent(engine.database, { ...note("keyed"), ...key });
      expect(await postEvent(engine.database, { ...note("keyed"), ...key })).toEqual({
        ...first,
        duplicate: true,
      });
      expect(await store.append(seedCatalogue.completeEvent({ ...note("keyed"), ...key }))).toMatchObject({
        status: "duplicate",
        id: first.id,
        position: first.position,
      });
      const another = await postEvent(engine.database, {
        ...note("keyed"),
        ...key,
        createdBy: "agent:other",
      });
      expect(another.duplicate).toBe(false);
    });

    it("when it is sent several times concurrently, each time to another stream", async () => {
      const idempotencyKey = randomUUID();
      const posted = await Promise.all(
        [1, 2, 3, 4].map(() =>
          postEvent(engine.database, { ...note(randomUUID()), createdBy: "agent:hasty", idempotencyKey }),
        ),
      );
      expect(new Set(posted.map((each) => each.id)).size).toBe(1);
      expect(posted.filter((each) => !each.duplicate)).toHaveLength(1);
    });

    it("but refuses different content under its id", async () => {
      const event = { ...note(randomUUID()), id: randomUUID() };
      await postEvent(engine.database, event);
      for (const expected of ["any", "stream-exists"]) {
        await expect(
          postEvent(engine.database, { ...event, data: { content: "other" } }, expected),
        ).rejects.toMatchObject({ code: "SY007", detail: expect.stringContaining(event.id) });
      }
    });
  });

  it("refuses events of a closed stream", async () => {
    const stream = { aggregateType: "note", aggregateId: randomUUID() };
    await postEvent(engine.database, note(stream.aggregateId));
    await store.closeStream(stream, 1);
    for (const expected of ["any", "stream-exists"]) {
      await expect(postEvent(engine.database, note(stream.aggregateId), expected)).rejects.toMatchObject({
        code: "SY006",
        detail: expect.stringContaining(stream.aggregateId),
      });
    }
  });

  it("needs data", async () => {
    await expect(
      engine.database.query("SELECT synap.post_event('note.creation.completed', NULL)"),
    ).rejects.toMatchObject({ code: "SY010", detail: expect.stringContaining('"missing"') });
    await expect(
      engine.database.query("SELECT synap.post_event('note.creation.completed', '[]')"),
    ).rejects.toMatchObject({ code: "SY010", detail: expect.stringContaining('"wrong-type"') });
  });

  it("refuses numbers that JavaScript can't represent, which only SQL can send", async () => {
    for (const [number, code] of [
      ["1e400", "non-finite-number"],
      ["12345678901234567890", "unsafe-integer"],
      ["0.123456789012345678901", "inexact-number"],
      ["1e-400", "inexact-number"],
    ]) {
      await expect(
        engine.database.query("SELECT synap.post_event('note.creation.completed', $1::text::jsonb)", [
          `{"content":"x","n":[${number}]}`,
        ]),
      ).rejects.toMatchObject({
        code: "SY010",
        detail: expect.stringMatching(`"${code}", "path": "data.n\\[0\\]"`),
      });
    }
  });

  it("notifies listeners of appends", async () => {
    let woken = () => {};
    const wake = new Promise<void>((resolve) => {
      woken = resolve;
    });
    const stop = await engine.database.listen("synap_appends", () => woken());
    await postEvent(engine.database, note(randomUUID()));
    await wake;
    await stop();
  });

  it("keeps the watermark safe under any settings of the caller", async () => {
    const attempt = asSqlWriter(async (transaction) => {
      await transaction.query("SELECT set_config('synap.append_low', '-1', true)");
      await postEvent(transaction, note(randomUUID()));
    });
    await expect(attempt).rejects.toMatchObject({ code: "42501" });
  });

  describe("for the role synap_sql", () => {
    it("suffices, together with the functions for reading", async () => {
      const id = randomUUID();
      const read = await asSqlWriter(async (transaction) => {
        const posted = await postEvent(transaction, note(id));
        const stream = await transaction.query("SELECT * FROM synap.get_aggregate_events('note', $1)", [id]);
        const [newest] = await transaction.query<{ id: string }>(
          "SELECT id FROM synap.event_stream WHERE aggregate_id = $1",
          [id],
        );
        const types = await transaction.query(
          "SELECT name FROM synap.event_types WHERE name = 'note.creation.completed'",
        );
        return { posted, stream, newest, types };
      });
      expect(read.stream).toHaveLength(1);
      expect(read.newest?.id).toBe(read.posted.id);
      expect(read.types).toHaveLength(1);
    });

    it.each([
      "SELECT * FROM synap.events",
      "INSERT INTO synap.event_ids SELECT gen_random_uuid(), now(), 1, 1",
      "SELECT synap.append_new_events('[{}]', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
      "SELECT synap.find_originals('[{}]', '{}', '{}')",
      "SELECT synap.event_issues('{}')",
      "SELECT synap.check_issues('[{}]', '{}', '{}')",
      "SELECT synap.grant_to_sql_writers('ALL', 'TABLE synap.events')",
      "UPDATE synap.event_types SET name = 'x'",
      "DELETE FROM synap.event_stream",
    ])("gives no other rights: %s", async (statement) => {
      await expect(asSqlWriter((transaction) => transaction.query(statement))).rejects.toMatchObject({
        code: expect.stringMatching(/^42501|55000$/),
      });
    });
  });
});

describeOnEveryEngine("reading through SQL", (engine) => {
  beforeAll(async () => {
    await syncEventTypes(engine.database, seedCatalogue);
    for (let index = 0; index < 5; index += 1)
      await postEvent(engine.database, note(index % 2 === 0 ? "a" : "b"));
  });

  it("get_aggregate_events returns a number of events of a stream in order, from a version on", async () => {
    const versions = async (rest: string) => {
      const rows = await engine.database.query<{ stream_version: number }>(
        `SELECT stream_version FROM synap.get_aggregate_events('note', 'a'${rest})`,
      );
      return rows.map((row) => row.stream_version);
    };
    expect(await versions("")).toEqual([1, 2, 3]);
    expect(await versions(", 2")).toEqual([2, 3]);
    expect(await versions(", from_version => 2, max_events => 1")).toEqual([2]);
    expect(await versions(", 4")).toEqual([]);
    expect(await engine.database.query("SELECT FROM synap.get_aggregate_events('note', 'none')")).toEqual([]);
  });

  it("event_stream returns the newest events first", async () => {
    const rows = await engine.database.query<{ position: number }>(
      'SELECT "position" FROM synap.event_stream LIMIT 3',
    );
    const positions = rows.map((row) => row.position);
    expect(positions).toHaveLength(3);
    expect(positions).toEqual([...positions].sort((a, b) => b - a));
  });

  it("get_events follows the log page by page, each event once", async () => {
    const seen: number[] = [];
    for (let after = 0; ; ) {
      const rows = await engine.database.query<{ position: number }>(
        'SELECT "position" FROM synap.get_events($1::bigint, 2)',
        [after],
      );
      seen.push(...rows.map((row) => row.position));
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.position;
    }
    const all = await engine.database.query<{ position: number }>(
      'SELECT "position" FROM synap.events ORDER BY "position"',
    );
    expect(seen).toEqual(all.map((row) => row.position));
  });

  it("get_events keeps its pages within bounds", async () => {
    for (const size of [0, 10_001, -1]) {
      await expect(engine.database.query(`SELECT synap.get_events(0, ${size})`)).rejects.toMatchObject({
        code: "22023",
      });
    }
  });
});

describeOnEveryEngine("the data of a posted event", (engine) => {
  const code = defineEventType({
    name: "code.made",
    description: "A code with a check sum.",
    schema: z.strictObject({ code: z.object({ digits: z.string().refine((text) => text.endsWith("7")) }) }),
    example: { code: { digits: "17" } },
  });
  const post = (type: string, data: JsonObject) => postEvent(engine.database, { type, data });

  beforeAll(async () => {
    await syncEventTypes(engine.database, seedCatalogue.extend([code]));
  });

  it("is refused with every fault when it does not satisfy the schema of its type", async () => {
    const data = { title: 5, tags: ["ok", ""], more: true };
    await expect(post("note.creation.completed", data)).rejects.toMatchObject({
      code: "SY010",
      detail: expect.stringMatching(
        /(?=.*"data.content")(?=.*"data.title")(?=.*"data.tags\[1\]")(?=.*"data.more")/,
      ),
    });
    expect(await post("note.creation.completed", { content: "hi" })).toMatchObject({ duplicate: false });
  });

  it("is refused where the database can't check it, with the part of the schema and the cure", async () => {
    await expect(post("code.made", { code: { digits: "17" } })).rejects.toMatchObject({
      code: "SY010",
      detail: expect.stringMatching(
        /"not-checkable".*data.code.digits: it has a refinement.*send the event over HTTP/,
      ),
    });
  });

  it("is refused where an older release has changed the schema since its check was made", async () => {
    await engine.database.query(
      `UPDATE synap.event_types SET json_schema = '{"type": "object"}' WHERE name = 'task.completed'`,
    );
    await expect(post("task.completed", {})).rejects.toMatchObject({
      code: "SY010",
      detail: expect.stringMatching(/"not-checkable".*older release/),
    });
    await syncEventTypes(engine.database, seedCatalogue);
    expect(await post("task.completed", {})).toMatchObject({ duplicate: false });
  });
});
