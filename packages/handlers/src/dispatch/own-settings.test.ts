import type { Transaction } from "@synap/database";
import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";

type Statement = (transaction: Transaction) => Promise<unknown>;

const noteOf = (content: string) => createSynapEvent({ type: "note.creation.completed", data: { content } });

/** Every way in which a handler can set the modes of its transaction. */
const MODES: Readonly<Record<string, Statement>> = {
  "SET TRANSACTION as a statement": (transaction) => transaction.query("SET TRANSACTION READ ONLY"),
  "SET TRANSACTION after a comment": (transaction) =>
    transaction.query("/* a */ set local transaction read only"),
  "SET TRANSACTION in a script": (transaction) => transaction.execute("SELECT 1; SET TRANSACTION READ ONLY"),
  "the setting by its name": (transaction) => transaction.execute("SET LOCAL transaction_read_only = on"),
  "the setting by its quoted name": (transaction) => transaction.execute('SET "transaction_read_only" = on'),
  "the isolation level": (transaction) => transaction.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
  "the modes of later transactions": (transaction) =>
    transaction.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
  set_config: (transaction) => transaction.query("SELECT set_config('transaction_read_only', 'on', true)"),
  drizzle: (transaction) => transaction.orm.execute("SET TRANSACTION READ ONLY"),
};

/** Forms that no statement shows; a savepoint ends their effect, as an inline handler has one. */
const HIDDEN_MODES: Readonly<Record<string, Statement>> = {
  "a function": (transaction) => transaction.query("SELECT seen.read_only()"),
  "a function, before it writes": async (transaction) => {
    await transaction.query("SELECT seen.read_only()");
    await transaction.query("DELETE FROM seen.written");
  },
};

/** Settings of the rest of the transaction, most of which would fail what follows there. */
const SETTINGS: Readonly<Record<string, Statement>> = {
  "SET ROLE": (transaction) => transaction.query("SET ROLE pg_monitor"),
  "SET LOCAL ROLE": (transaction) => transaction.execute("SET LOCAL ROLE pg_monitor"),
  "SET search_path": (transaction) => transaction.execute("SELECT 1; SET search_path = seen"),
  set_config: (transaction) => transaction.query("SELECT set_config('search_path', 'seen', true)"),
  "SET LOCAL through drizzle": (transaction) => transaction.orm.execute("SET LOCAL statement_timeout = '1h'"),
  "SET LOCAL in a savepoint": (transaction) =>
    transaction.savepoint((inner) => inner.execute("-- a\nSET LOCAL lock_timeout = '1h'")),
  "SET LOCAL in a block": (transaction) =>
    transaction.execute("DO $$ BEGIN IF true THEN SET LOCAL ROLE pg_monitor; END IF; END $$"),
};

describeOnEveryEngine("a handler that sets the modes of its transaction", (engine) => {
  beforeAll(async () => {
    await createSeenTable(engine.database);
    await engine.database.asOwner((transaction) =>
      transaction.execute(`
        CREATE TABLE seen.written (id int);
        GRANT SELECT, DELETE ON seen.written TO synap_app;
        CREATE FUNCTION seen.read_only() RETURNS text LANGUAGE sql
          AS $$ SELECT set_config('transaction_read_only', 'on', true) $$;
        CREATE FUNCTION seen.other_role() RETURNS text LANGUAGE sql
          AS $$ SELECT set_config('role', 'pg_monitor', true) $$;`),
    );
  });

  let names = 0;
  function running(mode: "inline" | "async", statement: Statement) {
    names += 1;
    const settings: unknown[] = [];
    const reading = (name: string) =>
      seeing(name, {
        mode,
        afterwards: async (_events, { transaction }) => {
          settings.push(...(await transaction.query(READ)));
        },
      });
    const handlers = [
      reading(`reads-${names}`),
      seeing(`sets-${names}`, {
        mode,
        afterwards: async (events, { transaction }) => {
          if (events.some((event) => event.data["content"] === "bad")) await statement(transaction);
        },
      }),
      reading(`reads-again-${names}`),
    ];
    const dispatcher = new EventDispatcher({
      database: engine.database,
      catalogue: seedCatalogue,
      handlers,
      maxAttempts: 1,
    });
    return { handler: `sets-${names}`, dispatcher, store: dispatcher.store, settings };
  }
  const READ = `SELECT current_user::text AS "user", current_setting('search_path') AS path,
    current_setting('statement_timeout') AS statements, current_setting('lock_timeout') AS locks`;

  /** Stores three events, of which the second has the statement run, and lets the handlers catch up. */
  async function runAll(mode: "inline" | "async", statement: Statement) {
    const { handler, dispatcher, store, settings } = running(mode, statement);
    if (mode === "async") await beginNow(engine.database, handler);
    const events = ["good", "bad", "last"].map(noteOf);
    const outcomes = await store.appendBatch(events);
    expect(outcomes.map(({ status }) => status)).toEqual(["stored", "stored", "stored"]);
    if (mode === "async") await catchUpFully(dispatcher, handler);
    return { handler, ids: events.map(({ id }) => id), settings };
  }

  for (const mode of ["inline", "async"] as const) {
    it.each(Object.entries(mode === "async" ? { ...MODES, ...HIDDEN_MODES } : MODES))(
      `(${mode}) fails on that event alone: %s`,
      async (_what, statement) => {
        const { handler, ids } = await runAll(mode, statement);
        expect(await listDeadLetters(engine.database, { handler })).toMatchObject([
          { eventId: ids[1], code: "transaction-control" },
        ]);
        expect(await seenBy(engine.database, handler)).toEqual([ids[0], ids[2]]);
      },
    );

    it.each(Object.entries(SETTINGS))(
      `(${mode}) has other settings for itself only: %s`,
      async (_what, statement) => {
        const { handler, ids, settings } = await runAll(mode, statement);
        expect(await seenBy(engine.database, handler)).toEqual(ids);
        expect(await listDeadLetters(engine.database, { handler })).toEqual([]);
        // The handlers before and after it, in the same transaction.
        expect(settings).toHaveLength(mode === "inline" ? 2 : 0);
        expect(settings[1]).toEqual(settings[0]);
      },
    );
  }

  it("(async) has the settings of its functions for itself only, found once they fail the pass", async () => {
    const { handler, ids } = await runAll("async", (transaction) =>
      transaction.query("SELECT seen.other_role()"),
    );
    expect(await seenBy(engine.database, handler)).toEqual(ids);
  });

  it("(async) can't do so in a block either", async () => {
    const block = "DO $$ BEGIN SET TRANSACTION READ ONLY; END $$";
    const { handler, ids } = await runAll("async", (transaction) => transaction.execute(block));
    const failed = await listDeadLetters(engine.database, { handler });
    // The embedded engine runs such a script in a savepoint, which ends the mode too.
    const isUndone = engine.database.engine === "embedded";
    expect(failed.map(({ code }) => code)).toEqual(isUndone ? [] : ["transaction-control"]);
    expect(await seenBy(engine.database, handler)).toEqual(isUndone ? ids : [ids[0], ids[2]]);
  });

  it("is refused by its name where it refuses an append", async () => {
    const handler = seeing("modes", {
      mode: "inline",
      afterwards: (_events, { transaction }) => transaction.query("SET TRANSACTION READ ONLY"),
    });
    const { store } = new EventDispatcher({
      database: engine.database,
      catalogue: seedCatalogue,
      handlers: [handler],
      onInlineFailure: "reject",
    });
    const failure = {
      code: "INLINE_HANDLER_FAILED",
      handler: "modes",
      cause: { code: "TRANSACTION_CONTROL" },
    };
    await expect(store.append(noteOf("bad"))).rejects.toMatchObject(failure);
  });
});
