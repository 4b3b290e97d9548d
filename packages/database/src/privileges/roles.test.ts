import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { logFingerprint } from "../../testing/log-fingerprint.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { createTestLogin } from "../../testing/test-login.ts";
import type { Transaction } from "../index.ts";
import { createEventStore, sqlState } from "../internal.ts";

/** A role without any right. */
const UNRELATED = `synap_test_unrelated_${randomUUID().slice(0, 8)}`;
const ROLES = ["synap_app", "synap_sql", "synap_sql_own", "synap_reader", UNRELATED];

/** Statements that write or lock a table; %1$s is its name and %2$I one of its columns. They match no row and don't wait. */
const TABLE_ACTIONS = {
  insert: "INSERT INTO %1$s DEFAULT VALUES",
  update: "UPDATE %1$s SET %2$I = %2$I WHERE false",
  upsert: "INSERT INTO %1$s OVERRIDING SYSTEM VALUE SELECT * FROM %1$s WHERE false ON CONFLICT DO NOTHING",
  delete: "DELETE FROM %1$s WHERE false",
  merge: "MERGE INTO %1$s AS t USING (SELECT 1) AS s ON false WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
  truncate: "TRUNCATE %1$s",
  lock: "LOCK TABLE %1$s IN SHARE ROW EXCLUSIVE MODE NOWAIT",
  "row lock": "SELECT FROM %1$s FOR UPDATE",
  own: "ALTER TABLE %1$s OWNER TO CURRENT_USER",
  trigger:
    "CREATE TRIGGER mine BEFORE INSERT ON %1$s FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
  "no triggers": "ALTER TABLE %1$s DISABLE TRIGGER ALL",
  rule: "CREATE RULE mine AS ON INSERT TO %1$s DO INSTEAD NOTHING",
  index: "CREATE INDEX ON %1$s (%2$I)",
  drop: "DROP TABLE %1$s CASCADE",
} as const;
const SEQUENCE_ACTIONS = {
  next: "SELECT nextval(%1$L)",
  set: "SELECT setval(%1$L, 1)",
  restart: "ALTER SEQUENCE %1$s RESTART",
} as const;

/** Result of an attempt that was not refused. */
const DONE = "TST01";

/** Tries every statement on every table and sequence of ours and of TimescaleDB as a role, and rolls each back. */
const ATTEMPTS = `
CREATE TEMPORARY TABLE attempts (relation text, action text, state text);
GRANT ALL ON attempts TO PUBLIC;
DO $attempts$
DECLARE
  target  record;
  attempt record;
  state   text;
BEGIN
  FOR target IN
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind AS kind,
           CASE WHEN i.inhrelid IS NULL THEN format('%I.%I', n.nspname, c.relname) ELSE 'a chunk of synap.events' END AS shown,
           (SELECT a.attname FROM pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''
             ORDER BY a.attnum LIMIT 1) AS attribute
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = 'synap.events'::regclass
     WHERE (n.nspname LIKE 'synap%' OR n.nspname LIKE '\\_timescaledb\\_%') AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  LOOP
    FOR attempt IN SELECT key, value FROM json_each_text(CASE WHEN target.kind = 'S' THEN SEQUENCES ELSE TABLES END)
    LOOP
      BEGIN
        SET LOCAL ROLE ROLE_NAME;
        EXECUTE format(attempt.value, target.name, target.attribute);
        RAISE SQLSTATE '${DONE}';
      EXCEPTION WHEN OTHERS THEN
        state := SQLSTATE;
      END;
      INSERT INTO attempts VALUES (target.shown, attempt.key, state);
    END LOOP;
  END LOOP;
END
$attempts$;`;

/** SQLSTATEs of a statement that does not fit the relation: a view that can't be written, a table without columns. */
const IMPOSSIBLE: ReadonlySet<string> = new Set(["0A000", "22004", "42809", "55000"]);
/** SQLSTATEs of an invalid row, which is detected after the check of the right to write it. */
const isIncomplete = (state: string) => state.startsWith("23");

const ROWS = ["delete", "insert", "lock", "merge", "row lock", "update", "upsert"];
/** Required rights of the roles. Everything else on every table is refused; a new table of ours must be listed here. */
const OPEN_WAYS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  synap_app: {
    "synap.aggregate_snapshots": ROWS,
    "synap.api_keys": ["row lock"],
    "synap.build_changes": ["lock"],
    "synap.chain_verifications": ["insert", "merge"],
    "synap.checkpoints": ROWS,
    "synap.dead_letters": ["insert", "merge", "row lock", "update", "upsert"],
    "synap.event_types": ROWS.filter((way) => way !== "delete"),
    "synap.function_registrations": ROWS.filter((way) => way !== "delete"),
    "synap.handler_failures": ROWS,
    "synap.sinks": ROWS.filter((way) => way !== "delete"),
    "synap.held_streams": ROWS,
    "synap.inline_builds_lock": ["lock"],
    "synap.inline_consumers": ["delete", "insert", "lock", "merge", "upsert"],
    "synap.parked_events": ["delete", "insert", "lock", "merge", "upsert"],
    "synap.projection_build_numbers": ["next"],
    "synap.projection_builds": ROWS,
    "synap.purges": ["row lock"],
    "synap.registered_types": ["insert", "merge", "upsert"],
    "synap.running_processes": ROWS,
    "synap.sessions": ROWS.filter((way) => way !== "update"),
    "synap.sign_in_links": ROWS.filter((way) => way !== "update" && way !== "row lock"),
    "synap.pseudonym_key": ["insert", "merge"],
    "synap.subject_keys": ["insert", "merge"],
    "synap.unhandled_failures": ROWS.filter((way) => way !== "delete"),
  },
  synap_sql: {},
  synap_sql_own: {},
  synap_reader: {},
  [UNRELATED]: {},
};

/** Statements that none of the roles may run; %s is a role that the login must not become. */
const REFUSED = [
  "CREATE TABLE synap.mine (a integer)",
  "CREATE TABLE public.mine (a integer)",
  "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
  "CREATE FUNCTION synap.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
  "CREATE TABLE _timescaledb_internal.mine (a integer)",
  "CREATE FUNCTION pg_temp.mine() RETURNS integer LANGUAGE c AS 'libc.so.6', 'system'",
  "CREATE FUNCTION pg_temp.mine() RETURNS integer LANGUAGE internal AS 'pg_terminate_backend'",
  "CREATE SCHEMA mine",
  "DROP EXTENSION timescaledb CASCADE",
  "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()",
  "CREATE PUBLICATION mine FOR ALL TABLES",
  "CREATE SUBSCRIPTION mine CONNECTION '' PUBLICATION mine WITH (connect = false)",
  "CREATE CAST (text AS integer) WITH INOUT AS IMPLICIT",
  "CREATE TRUSTED LANGUAGE mine HANDLER plpgsql_call_handler",
  "COPY synap.events TO PROGRAM 'cat'",
  "COPY synap.events TO '/tmp/mine'",
  "CREATE TEMPORARY TABLE mine (a text); COPY mine FROM PROGRAM 'id'",
  "CREATE TEMPORARY TABLE mine (a text); COPY mine FROM '/etc/passwd'",
  "CREATE TEMPORARY TABLE mine () INHERITS (synap.events)",
  "SELECT lo_import('/etc/passwd')",
  "SELECT lo_export(lo_create(0), '/tmp/mine')",
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT pg_ls_dir('.')",
  "SELECT pg_reload_conf()",
  "SELECT pg_switch_wal()",
  "SELECT pg_promote()",
  "SELECT pg_stat_reset()",
  "SELECT pg_create_physical_replication_slot('mine', true)",
  "SELECT pg_create_logical_replication_slot('mine', 'pgoutput')",
  "SELECT pg_replication_origin_create('mine')",
  "SELECT pg_read_binary_file('PG_VERSION')",
  "UPDATE pg_catalog.pg_class SET relowner = relowner WHERE false",
  "UPDATE pg_catalog.pg_settings SET setting = setting WHERE name = 'session_replication_role'",
  "DELETE FROM pg_catalog.pg_largeobject",
  "SELECT rolpassword FROM pg_catalog.pg_authid",
  "SET LOCAL session_replication_role = replica",
  "SET LOCAL timescaledb.restoring = on; DELETE FROM synap.events",
  "SET LOCAL allow_system_table_mods = on",
  "ALTER DATABASE ours SET work_mem = '1GB'",
  "ALTER DEFAULT PRIVILEGES FOR ROLE owner_name GRANT ALL ON TABLES TO PUBLIC",
  "REASSIGN OWNED BY owner_name TO CURRENT_USER",
  "DROP OWNED BY owner_name",
  "CREATE ROLE mine",
  "GRANT owner_name TO CURRENT_USER",
  "GRANT pg_write_all_data TO CURRENT_USER",
  "ALTER ROLE CURRENT_USER SUPERUSER",
  "ALTER ROLE owner_name PASSWORD 'mine'",
  "SELECT drop_chunks('synap.events', older_than => interval '1 second')",
  "SELECT set_chunk_time_interval('synap.events', interval '1 second')",
  "SELECT synap.take_append_number()",
  "SELECT synap.grant_to_sql_writers('ALL', 'TABLE synap.events')",
];
const REFUSED_TO_LOGINS = [
  "ALTER SYSTEM SET work_mem = '1GB'",
  "SET ROLE owner_name",
  "SET LOCAL ROLE owner_name",
  "SET SESSION AUTHORIZATION owner_name",
  "SELECT set_config('role', 'owner_name', true)",
  "SELECT pg_terminate_backend(owner_pid)",
  "SELECT pg_cancel_backend(owner_pid)",
  "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
  "ALTER ROLE CURRENT_USER CONNECTION LIMIT 1",
];

describe.each(testEngines())("the roles (%s)", (engine) => {
  let test: TestDatabase;
  let before: string | undefined;
  let facts: { owner: string; database: string };
  beforeAll(async () => {
    test = await createTestDatabase(engine);
    const store = createEventStore({ database: test.database, catalogue: seedCatalogue });
    await store.appendBatch(noteEvents(3));
    await test.database.asOwner(async (owner) => {
      await owner.execute(`CREATE ROLE ${UNRELATED} NOLOGIN`);
      const [row] = await owner.query<{ owner: string; database: string }>(
        "SELECT current_user AS owner, quote_ident(current_database()) AS database",
      );
      if (row === undefined) throw new Error("a query without FROM answers one row");
      facts = row;
      before = await logFingerprint(owner);
    });
  });
  afterAll(async () => {
    expect(await test.database.asOwner(logFingerprint)).toBe(before);
    await test.database.asOwner((owner) => owner.execute(`DROP ROLE ${UNRELATED}`));
    await test.drop();
  });

  /** Runs work in a transaction of the owner's and undoes it. */
  async function undone<T>(work: (owner: Transaction) => Promise<T>): Promise<T> {
    let answer: { readonly value: T } | undefined;
    const running = test.database.asOwner(async (owner) => {
      answer = { value: await work(owner) };
      throw new Error("undone");
    });
    await running.catch((error: unknown) => {
      if (answer === undefined) throw error;
    });
    if (answer === undefined) throw new Error("the work was not undone");
    return answer.value;
  }
  const named = (statement: string) =>
    statement.replaceAll("owner_name", facts.owner).replaceAll("DATABASE ours", `DATABASE ${facts.database}`);

  it.each(ROLES)("let %s write or lock only the tables it needs, in any schema", async (role) => {
    const attempts = await undone(async (owner) => {
      const literal = (actions: object) => `$json$${JSON.stringify(actions)}$json$::json`;
      await owner.execute(
        ATTEMPTS.replace("ROLE_NAME", role)
          .replace("SEQUENCES", () => literal(SEQUENCE_ACTIONS))
          .replace("TABLES", () => literal(TABLE_ACTIONS)),
      );
      return owner.query<{ relation: string; action: string; state: string }>(
        "SELECT DISTINCT relation, action, state FROM attempts ORDER BY relation, action",
      );
    });
    const found: Record<string, string[]> = {};
    for (const { relation, action, state } of attempts) {
      if (state === "42501" || IMPOSSIBLE.has(state)) continue;
      const isOpen = state === DONE || isIncomplete(state);
      found[relation] = [...(found[relation] ?? []), isOpen ? action : `${action}: ${state}`];
    }
    expect(found).toEqual(OPEN_WAYS[role]);
    // The log, its chunk and TimescaleDB's catalogue are among what was tried.
    const tried = new Set(attempts.map(({ relation }) => relation));
    for (const relation of ["synap.streams", "a chunk of synap.events", "_timescaledb_catalog.chunk"]) {
      expect(tried).toContain(relation);
    }
  });

  it.each(ROLES)("give %s no right to triggers and foreign keys", async (role) => {
    const rows = await test.database.asOwner((owner) =>
      owner.query(
        `SELECT c.oid::regclass::text AS name FROM pg_class AS c
          WHERE c.relkind IN ('r', 'p', 'v') AND c.relpersistence = 'p'
            AND has_table_privilege($1::name, c.oid, 'TRIGGER, REFERENCES')`,
        [role],
      ),
    );
    expect(rows).toEqual([]);
  });

  it.each(ROLES)("refuse %s every change of the database, the server or its files", async (role) => {
    const allowed: string[] = [];
    for (const statement of REFUSED) {
      const refusal = await undone((owner) =>
        owner
          .savepoint(async (inner) => {
            await inner.execute(`SET LOCAL ROLE ${role}`);
            await inner.execute(named(statement));
          })
          .then(() => "done", sqlState),
      );
      if (refusal !== "42501") allowed.push(`${statement}: ${refusal}`);
    }
    expect(allowed).toEqual([]);
  });

  // The one session of the embedded engine belongs to the owner, who may become anybody.
  it.runIf(engine === "server").each(["synap_app", "synap_sql", undefined])(
    "do not let a login with the role %s become another one, or end its sessions",
    async (role) => {
      const login = await createTestLogin(test, role);
      const allowed: string[] = [];
      await test.database.asOwner(async (owner) => {
        const [row] = await owner.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        for (const statement of REFUSED_TO_LOGINS) {
          const text = named(statement).replace("owner_pid", String(row?.pid));
          const refusal = await login.session.unsafe(text).then(() => "done", sqlState);
          if (refusal !== "42501") allowed.push(`${statement}: ${refusal}`);
        }
      });
      await login.drop();
      expect(allowed).toEqual([]);
    },
  );
});
