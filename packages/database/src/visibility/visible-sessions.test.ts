import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { createTestDatabase, describeOnEveryEngine, testEngines } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import type { Database, SqlParameter, Transaction } from "../index.ts";
import { createEventStore, sqlState } from "../internal.ts";
import { createLogReader, type LogReader } from "./log-reader.ts";
import { visibleEventStats } from "./own-event-stats.ts";
import { VisibilityUnavailableError } from "./visibility.ts";

const DAY = 86_400_000;
const DAYS = 40;

/** The relations and functions of this database that a role may use, outside PostgreSQL's and TimescaleDB's own schemas. */
const RIGHTS = `
SELECT c.oid::regclass::text AS name
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE (n.nspname LIKE 'synap%' OR EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid))
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND (has_table_privilege($1::name, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
        OR has_any_column_privilege($1::name, c.oid, 'SELECT, INSERT, UPDATE'))
 UNION ALL
SELECT p.oid::regproc::text
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname LIKE 'synap%' AND has_function_privilege($1::name, p.oid, 'EXECUTE')
 ORDER BY name`;

describeOnEveryEngine("reading as a user", (engine) => {
  const user = `user ${randomUUID()}`;
  const ids: string[] = [];
  const now = Date.now();
  beforeAll(async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    for (let day = DAYS; day > 0; day -= 1) {
      const at = (index: number) => new Date(now - day * DAY + index).toISOString();
      const events = noteEvents(10, (index) => ({
        aggregateId: `day ${day}`,
        timestamp: at(index),
        userId: index % 2 === 0 ? user : "another",
      }));
      ids.push(...events.filter(({ userId }) => userId === user).map(({ id }) => id));
      await store.appendBatch(events, { timestamps: "backfill" });
    }
  });

  it("gives its role the views, the audit logs, their check and the function that measures a page, and nothing else", async () => {
    const rows = await engine.database.asOwner((owner) =>
      owner.query<{ name: string }>(RIGHTS, ["synap_reader"]),
    );
    const archived = ["archived_chunks", "archived_keys", "archived_ranges"];
    const views = ["amendments", ...archived, "audit_entries", "events", "stream_events", "streams"];
    const shown = views.flatMap((view) => ["creator", "user"].map((of) => `synap_visible.${view}_of_${of}`));
    const check = "synap_visible.refuse_archived_entries_of_user";
    expect(rows.map(({ name }) => name)).toEqual(["synap.printed_bytes", ...shown, check].sort());
  });

  it("refuses a statement as the role that names a table of the log", async () => {
    for (const table of ["events", "streams", "event_ids", "appends", "idempotency_keys"]) {
      const reading = engine.database.transaction(async (transaction) => {
        await transaction.query("SELECT set_config('role', 'synap_reader', true)");
        await transaction.query(`SELECT FROM synap.${table}`);
      });
      expect(await reading.then(() => "read", sqlState)).toBe("42501");
    }
  });

  it.each([undefined, "", "user:another"])("shows no row with the setting %j", async (value) => {
    const auditLog = (of: string) => `audit_entries_of_${of}(NULL, NULL, NULL, NULL, 10)`;
    for (const view of ["amendments", "events", "stream_events", "streams", "audit log"]) {
      for (const of of ["user", "creator"]) {
        const rows = await engine.database.transaction(async (transaction) => {
          await transaction.query("SELECT set_config('role', 'synap_reader', true)");
          if (value !== undefined)
            await transaction.query("SELECT set_config('synap.visible_to', $1, true)", [value]);
          return transaction.query(
            `SELECT FROM synap_visible.${view === "audit log" ? auditLog(of) : `${view}_of_${of}`}`,
          );
        });
        expect(rows).toEqual([]);
      }
    }
  });

  it("leaves neither the role nor the user to the next statement of the connection", async () => {
    const reader = createLogReader(engine.database, { userId: user });
    const seen = await Promise.all(
      Array.from({ length: 20 }, async () => {
        await reader.getById(ids[0] ?? "");
        const [row] = await engine.database.query<{ role: string; visible: string | null }>(
          "SELECT current_user AS role, nullif(current_setting('synap.visible_to', true), '') AS visible",
        );
        return row;
      }),
    );
    expect(seen).toEqual(seen.map(() => ({ role: "synap_app", visible: null })));
  });

  it("reads only the chunks of a time range, of an event, of the next positions and of a stream", async () => {
    const chunks: number[] = [];
    const reader = createLogReader(countingChunks(engine.database, chunks), { userId: user });
    const read = async (work: (reader: LogReader) => Promise<number>) => {
      chunks.length = 0;
      const found = await work(reader);
      return { found, chunks: Math.max(...chunks) };
    };
    const day = (days: number) => new Date(Math.floor(now / DAY) * DAY - days * DAY);
    const range = { from: day(20), to: day(18) };
    expect(
      await read(async (own) => (await own.query(range, { limit: 100, order: "desc" })).events.length),
    ).toEqual({ found: 10, chunks: 2 });
    expect(await read(async (own) => ((await own.getById(ids[7] ?? "")) === undefined ? 0 : 1))).toEqual({
      found: 1,
      chunks: 1,
    });
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const { watermark } = await store.readAll({ after: Number.MAX_SAFE_INTEGER, limit: 1 });
    expect(
      await read(
        async (own) => (await own.readAll({ after: watermark - 2 * 1024, limit: 100 })).events.length,
      ),
    ).toEqual({ found: 10, chunks: 2 });
    const stream = { aggregateType: "note", aggregateId: "day 9" };
    expect(await read(async (own) => (await own.readStreamPage(stream)).events.length)).toEqual({
      found: 5,
      chunks: 1,
    });
  });

  it("counts the events of some days in their chunks only", async () => {
    const chunks: number[] = [];
    const dayText = (daysAgo: number) => new Date(now - daysAgo * DAY).toISOString().slice(0, 10);
    const request = { from: dayText(20), to: dayText(19), limit: 10 };
    const counting = countingChunks(engine.database, chunks);
    expect(await visibleEventStats(counting, { userId: user }, request)).toMatchObject({ events: 10 });
    expect(chunks).toEqual([2]);
  });

  it("moves past more events of others than it looks at in one read, to the end of an append", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const { watermark: after } = await store.readAll({ after: Number.MAX_SAFE_INTEGER, limit: 1 });
    for (let append = 0; append < 11; append += 1) {
      await store.appendBatch(noteEvents(1_000, () => ({ aggregateId: randomUUID(), userId: "another" })));
    }
    const mine = noteEvent({ userId: user });
    await store.append(mine);
    const reader = createLogReader(engine.database, { userId: user });
    const first = await reader.readAll({ after, limit: 10 });
    expect(first).toMatchObject({ events: [], caughtUp: false });
    expect(first.position % 1024).toBe(1023);
    const second = await reader.readAll({ after: first.position, limit: 10 });
    expect(second.events.map(({ id }) => id)).toEqual([mine.id]);
  });

  it("asks the same of the database for an event of somebody else as for none, so that the time shows neither", async () => {
    const statements: string[] = [];
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const theirs = noteEvent({ userId: "another" });
    await store.append(theirs);
    const reader = createLogReader(notingStatements(engine.database, statements), { userId: user });
    const asked = async (id: string) => {
      statements.length = 0;
      expect(await reader.getById(id)).toBeUndefined();
      return [...statements];
    };
    const ofTheirs = await asked(theirs.id);
    expect(ofTheirs).toHaveLength(2);
    expect(await asked(randomUUID())).toEqual(ofTheirs);
  });
});

it.each(testEngines())(
  "says what an administrator has to run where the role lacks its rights (%s)",
  async (name) => {
    const { database, drop } = await createTestDatabase(name);
    try {
      const event = noteEvent({ userId: "ann" });
      await createEventStore({ database, catalogue: seedCatalogue }).append(event);
      const reader = createLogReader(database, { userId: "ann" });
      const visible = "synap_visible, synap_read_of_user, synap_read_of_creator";
      const taken = [
        `REVOKE USAGE ON SCHEMA synap, ${visible} FROM synap_reader`,
        `REVOKE SELECT ON ALL TABLES IN SCHEMA ${visible} FROM synap_reader`,
        "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA synap_visible FROM synap_reader",
        "REVOKE EXECUTE ON FUNCTION synap.printed_bytes FROM synap_reader",
        // Roles belong to the server, which other tests use; the embedded engine's are its own.
        ...(name === "embedded" ? ["DROP ROLE synap_reader"] : []),
      ];
      for (const statement of taken) await database.asOwner((owner) => owner.execute(statement));
      const error = await reader.getById(event.id).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(VisibilityUnavailableError);
      expect(await createLogReader(database, { all: true }).getById(event.id)).toMatchObject({
        id: event.id,
      });

      if (!(error instanceof VisibilityUnavailableError)) return;
      const missing = error.statements.filter(
        (each) => name === "embedded" || !/^CREATE|TO synap_app/.test(each),
      );
      for (const statement of missing) await database.asOwner((owner) => owner.execute(statement));
      expect(await reader.getById(event.id)).toMatchObject({ id: event.id });
      expect((await reader.query({}, { limit: 10, order: "asc" })).events).toHaveLength(1);
    } finally {
      await drop();
    }
  },
);

/** A database that notes the texts of the statements of a reader, without those that begin its transactions. */
function notingStatements(database: Database, statements: string[]): Database {
  const noting =
    <Session extends Pick<Database, "query">>(session: Session): Session["query"] =>
    (text, parameters) => {
      if (/synap_visible|event_ids/.test(text)) statements.push(text);
      return session.query(text, parameters);
    };
  return {
    ...database,
    query: noting(database),
    reads: {
      query: noting(database.reads),
      transaction: (work) => database.reads.transaction((own) => work({ ...own, query: noting(own) })),
    },
  };
}

/** A database whose reading transactions also explain their statements and note in how many chunks each may look. */
function countingChunks(database: Database, chunks: number[]): Database {
  const counting = (own: Transaction): Transaction => ({
    ...own,
    query: async <Row extends object>(text: string, parameters: readonly SqlParameter[] = []) => {
      const rows = await own.query<Row>(text, parameters);
      if (text.includes("synap_visible")) {
        const plan = await own.query(`EXPLAIN (FORMAT JSON) ${text}`, parameters);
        chunks.push(new Set(JSON.stringify(plan).match(/_hyper_\d+_\d+_chunk(?=[\\"])/g)).size);
      }
      return rows;
    },
  });
  return {
    ...database,
    query: (text, parameters) => database.query(text, parameters),
    reads: {
      query: (text, parameters) => database.reads.query(text, parameters),
      transaction: (work) => database.reads.transaction((own) => work(counting(own))),
    },
  };
}
