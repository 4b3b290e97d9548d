import { seedCatalogue } from "@synap/types";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createTestDatabase,
  describeEventStore,
  serverUrl,
  type TestDatabase,
  testEngines,
} from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { transactionFromPostgres } from "../index.ts";
import { createEventStore } from "../internal.ts";

/** Settings that an operator, or another application of the same database, may have changed. */
const HOSTILE: Readonly<Record<string, string>> = {
  DateStyle: "'SQL, DMY'",
  TimeZone: "'Pacific/Kiritimati'",
  IntervalStyle: "'sql_standard'",
  extra_float_digits: "-15",
  bytea_output: "'escape'",
  search_path: "'elsewhere'",
  client_encoding: "'LATIN1'",
  default_transaction_isolation: "'serializable'",
  default_transaction_read_only: "on",
  default_transaction_deferrable: "on",
  standard_conforming_strings: "off",
  backslash_quote: "off",
  array_nulls: "off",
  transform_null_equals: "on",
  xmloption: "document",
  row_security: "off",
  synchronous_commit: "off",
  statement_timeout: "1",
  lock_timeout: "1",
  idle_in_transaction_session_timeout: "1",
  idle_session_timeout: "1",
  gin_fuzzy_search_limit: "1",
};
/** Settings that an application which lends a connection must not change: it could run nothing itself either. */
const LENT_MAY_HAVE = [
  "DateStyle",
  "TimeZone",
  "IntervalStyle",
  "extra_float_digits",
  "bytea_output",
  "search_path",
];

/** Settings of a pooler's sessions between transactions, which would end them. */
const ENDS_SESSIONS: ReadonlySet<string> = new Set(["statement_timeout", "idle_session_timeout"]);

const LAST_MOMENT = "9999-12-31T23:59:59.999Z";

async function setOnDatabase(test: TestDatabase, names: readonly string[]): Promise<void> {
  await test.database.asOwner(async (owner) => {
    const [row] = await owner.query<{ name: string }>("SELECT current_database()::text AS name");
    for (const name of names)
      await owner.execute(`ALTER DATABASE "${row?.name}" SET ${name} = ${HOSTILE[name]}`);
  });
}

// An operator changes the settings of a server. Where there is one, the embedded database would only repeat what it shows.
describe.each(testEngines().slice(-1))("on a database with unusual settings (%s)", (engine) => {
  let test: TestDatabase;
  const open = () => createEventStore({ database: test.database, catalogue: seedCatalogue });

  beforeAll(async () => {
    test = await createTestDatabase(engine, "migrated", { onDisk: true });
    const isPooled = "directUrl" in test.options;
    await setOnDatabase(
      test,
      Object.keys(HOSTILE).filter((name) => !isPooled || !ENDS_SESSIONS.has(name)),
    );
    await test.reopen();
  });
  afterAll(() => test.drop());

  describeEventStore({ create: open });

  it("stores and reads the latest possible moment", async () => {
    const event = noteEvent({ validTo: LAST_MOMENT });
    expect((await open().append(event)).status).toBe("stored");
    expect(await open().getById(event.id)).toMatchObject({ validTo: LAST_MOMENT });
    const page = await open().query({ aggregateId: event.aggregateId }, { limit: 10, order: "asc" });
    expect(page.events).toMatchObject([{ validTo: LAST_MOMENT }]);
  });

  it.runIf(engine === "server")("flushes an event to disk before it confirms it", async () => {
    const setting = "SELECT current_setting('synchronous_commit') AS value";
    expect(await test.database.query(setting)).toEqual([{ value: "on" }]);
  });
});

describe.runIf(testEngines().includes("server"))(
  "on a connection that the application lends, with its settings",
  () => {
    let test: TestDatabase;
    beforeAll(async () => {
      test = await createTestDatabase("server");
      await setOnDatabase(test, LENT_MAY_HAVE);
    });
    afterAll(() => test.drop());

    it("appends and reads events, and refuses a moment that it can't parse unambiguously", async () => {
      const client = postgres(serverUrl(test), { max: 1, onnotice: () => {} });
      const store = createEventStore({ database: test.database, catalogue: seedCatalogue });
      const stream = { aggregateType: "note", aggregateId: noteEvent().aggregateId };
      const { id, type, data } = noteEvent();
      await client.begin(async (sql) => {
        const transaction = transactionFromPostgres(sql);
        const [style] = await transaction.query<{ style: string }>(
          "SELECT current_setting('DateStyle') AS style",
        );
        expect(style?.style).toBe("SQL, DMY");
        await store.appendToStream(stream, 0, [{ id, type, data, validTo: LAST_MOMENT }], { transaction });
        const read = [];
        for await (const event of store.readStream(stream, { transaction })) read.push(event);
        expect(read).toMatchObject([{ id, validTo: LAST_MOMENT }]);
        expect(await store.getStream(stream, { transaction })).toEqual({ streamVersion: 1 });
        await store.closeStream(stream, 1, { transaction });
        const { closedAt = "" } = (await store.getStream(stream, { transaction })) ?? {};
        expect(Math.abs(Date.parse(closedAt) - Date.now())).toBeLessThan(3_600_000);
      });
      const unreadable = client.begin((sql) => transactionFromPostgres(sql).query("SELECT now() AS now"));
      await expect(unreadable).rejects.toMatchObject({ code: "UNREADABLE_VALUE" });
      await client.end();
    });
  },
);
