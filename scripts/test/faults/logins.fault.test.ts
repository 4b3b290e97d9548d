import { openBrokerDatabase } from "@synap/cli/all-in-one/broker-database.ts";
import { migrate, openDatabase, PrivilegesMissingError } from "@synap/database";
import { createEventStore, HARDENING_STATEMENT } from "@synap/database/internal";
import { installInngestLocal } from "@synap/inngest-local";
import { defaultApplication, type OpenedEngine, openEngine } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";

// A cluster of its own: roles belong to the whole cluster, and here synap_app does not exist at first. The tests go on
// from each other, as an installation does.
describe.runIf(canRunTimescaledb)("migrating and running", { timeout: 120_000 }, () => {
  const server = new TimescaledbServer(54_352);
  let admin: Sql;
  const databases: Pick<OpenedEngine, "close">[] = [];

  beforeAll(async () => {
    // What a run that was killed has left behind would have the roles.
    await server.remove();
    await server.start();
    admin = postgres(server.url, { max: 1, onnotice: () => {} });
  }, 180_000);
  afterAll(async () => {
    for (const database of databases) await database.close();
    await admin.end();
    await server.remove();
  });

  const urlOf = (login: string, database: string) =>
    server.url.replace("postgres:postgres@", `${login}:secret@`).replace(/\/postgres$/, `/${database}`);

  /** Runs what an error names, as an administrator, in that database. */
  async function asAdministrator(database: string, statements: readonly string[]): Promise<void> {
    const session = postgres(server.url.replace(/\/postgres$/, `/${database}`), {
      max: 1,
      onnotice: () => {},
    });
    for (const statement of statements) await session.unsafe(statement);
    await session.end();
  }

  /** The schemas of ours in a database. */
  async function schemasOf(database: string): Promise<unknown[]> {
    const session = postgres(server.url.replace(/\/postgres$/, `/${database}`), { max: 1 });
    const rows = await session`SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'synap%'`;
    await session.end();
    return rows.map(({ name }) => name);
  }

  /** Opens it as a process does. */
  const open = (login: string, database: string, warn: (message: string) => void = () => {}) =>
    openEngine(
      defaultApplication,
      { url: urlOf(login, database) },
      { logger: { info: () => {}, warn: (_fields, message) => warn(message), error: () => {} } },
    );

  async function refusal(login: string, database: string): Promise<PrivilegesMissingError> {
    const opening = open(login, database);
    const error = await opening.then(
      async (opened) => {
        await opened.close();
        throw new Error(`${login} was not refused`);
      },
      (reason: unknown) => reason,
    );
    if (!(error instanceof PrivilegesMissingError)) throw error;
    expect(error.login).toBe(login);
    for (const statement of error.statements) expect(error.message).toContain(statement);
    return error;
  }

  /** Opens it as a process does, and does what a process does. @returns the warning, if there is one */
  async function works(login: string, database: string): Promise<string | undefined> {
    let warning: string | undefined;
    const opened = await open(login, database, (message) => {
      warning = message;
    });
    databases.push(opened);
    const { dispatcher, database: used } = opened.engine;
    expect(used.capabilities.applicationRole).toBe(true);
    const { store } = dispatcher;
    const event = seedCatalogue.completeEvent({ type: "note.creation.completed", data: { content: "hi" } });
    expect(await store.append(event)).toMatchObject({ status: "stored" });
    expect((await store.readAll({ after: 0, limit: 10 })).events.map(({ id }) => id)).toContain(event.id);
    const another = store.visibleTo({ userId: "nobody" });
    expect(await another.getById(event.id)).toBeUndefined();
    expect((await another.query({}, { limit: 10, order: "asc" })).events).toEqual([]);
    await expect(used.query("DELETE FROM synap.streams")).rejects.toMatchObject({ code: "42501" });
    return warning;
  }

  it("is refused to the owner of a database while the roles are missing, with the statements that make them", async () => {
    await admin.unsafe("CREATE ROLE plain LOGIN PASSWORD 'secret'");
    await admin.unsafe("CREATE DATABASE plain OWNER plain");
    const { statements } = await refusal("plain", "plain");
    expect(statements).toContain("CREATE ROLE synap_app NOLOGIN");
  });

  it("works for an owner without CREATEROLE on a fresh cluster, where an administrator ran those statements first", async () => {
    const { statements } = await refusal("plain", "plain");
    await asAdministrator("plain", statements);
    expect(await works("plain", "plain")).toContain("_timescaledb_functions");
    await asAdministrator("plain", [HARDENING_STATEMENT]);
    expect(await works("plain", "plain")).toBeUndefined();

    // The next login finds the cluster as this one did.
    for (const database of databases.splice(0)) await database.close();
    for (const statement of [
      "DROP DATABASE plain",
      "DROP ROLE synap_app, synap_sql, synap_sql_own, synap_reader",
      "CREATE DATABASE plain OWNER plain",
    ])
      await admin.unsafe(statement);
  });

  it("works for a login with CREATEROLE that owns its database and is no superuser", async () => {
    await admin.unsafe("CREATE ROLE creator LOGIN CREATEROLE PASSWORD 'secret'");
    await admin.unsafe("CREATE DATABASE created OWNER creator");
    const warning = await works("creator", "created");
    expect(warning).toContain("_timescaledb_functions");
    await asAdministrator("created", [HARDENING_STATEMENT, HARDENING_STATEMENT]);
    expect(await works("creator", "created")).toBeUndefined();
  });

  it("works for the owner of a database once an administrator has run the statement of the refusal", async () => {
    const { statements } = await refusal("plain", "plain");
    expect(statements).toEqual(['GRANT synap_app TO "plain" WITH SET TRUE, INHERIT TRUE']);
    expect(await schemasOf("plain")).toEqual([]);
    await asAdministrator("plain", statements);
    await works("plain", "plain");
  });

  it("works for a second owner with CREATEROLE on the same cluster once the role is granted, and passes it on", async () => {
    await admin.unsafe("CREATE ROLE staging LOGIN CREATEROLE PASSWORD 'secret'");
    await admin.unsafe("CREATE DATABASE staging OWNER staging");
    const { statements } = await refusal("staging", "staging");
    expect(statements).toEqual(['GRANT synap_app TO "staging" WITH ADMIN TRUE, SET TRUE, INHERIT TRUE']);
    expect(await schemasOf("staging"), "nothing is applied before the check").toEqual([]);
    await asAdministrator("staging", statements);
    await works("staging", "staging");
    await admin.unsafe("CREATE ROLE staging_run LOGIN PASSWORD 'secret'");
    const owner = postgres(urlOf("staging", "staging"), { max: 1, onnotice: () => {} });
    await owner.unsafe("GRANT synap_app TO staging_run");
    await owner.end();
    await works("staging_run", "staging");

    // The queue of the local broker needs one more right, and its refusal has the statement.
    const running = await open("staging_run", "staging");
    databases.push(running);
    const broker = () =>
      openBrokerDatabase(running.engine.database, { url: urlOf("staging_run", "staging") });
    const refused = await broker().then(
      (opened) => opened.close(),
      (error: unknown) => error,
    );
    if (!(refused instanceof PrivilegesMissingError)) throw refused;
    expect(refused.message).toContain("may not create the tables of the local broker");
    await asAdministrator("staging", refused.statements);
    const { queue, close } = await broker();
    await installInngestLocal(queue);
    await close();
  });

  it("works for a superuser, who leaves nothing open", async () => {
    await admin.unsafe("CREATE ROLE mighty LOGIN SUPERUSER PASSWORD 'secret'");
    await admin.unsafe("CREATE DATABASE mighty OWNER mighty");
    expect(await works("mighty", "mighty")).toBeUndefined();
  });

  it.each([
    ["an owner without CREATEROLE", "wary", "LOGIN"],
    ["a superuser", "wary_mighty", "LOGIN SUPERUSER"],
  ])(
    "works under default privileges that give away too much and too little (%s)",
    async (_kind, name, rights) => {
      await admin.unsafe(`CREATE ROLE ${name} ${rights} PASSWORD 'secret'`);
      await admin.unsafe(`CREATE DATABASE ${name} OWNER ${name}`);
      await admin.unsafe(`GRANT synap_app TO ${name} WITH SET TRUE, INHERIT TRUE`);
      await admin.unsafe(`CREATE ROLE ${name}_reader LOGIN PASSWORD 'secret'`);
      await admin.unsafe(`GRANT CONNECT ON DATABASE ${name} TO ${name}_reader`);
      const given = (what: string) => `ALTER DEFAULT PRIVILEGES FOR ROLE ${name} ${what}`;
      await asAdministrator(name, [
        given("GRANT ALL ON TABLES TO PUBLIC"),
        given("GRANT ALL ON SEQUENCES TO PUBLIC"),
        given("GRANT ALL ON SCHEMAS TO PUBLIC"),
        given("REVOKE EXECUTE ON ROUTINES FROM PUBLIC"),
        given("REVOKE USAGE ON TYPES FROM PUBLIC"),
      ]);
      await works(name, name);
      await asAdministrator(name, [HARDENING_STATEMENT]);
      expect(await works(name, name)).toBeUndefined();

      const reader = postgres(urlOf(`${name}_reader`, name), { max: 1, onnotice: () => {} });
      const tables = await reader<{ name: string }[]>`
      SELECT c.oid::regclass::text AS name FROM pg_class AS c
       WHERE c.relnamespace = 'synap'::regnamespace AND c.relkind IN ('r', 'p', 'S')
         AND CASE c.relkind
               WHEN 'S' THEN has_sequence_privilege(c.oid, 'USAGE, UPDATE')
               ELSE has_any_column_privilege(c.oid, 'INSERT, UPDATE') OR has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER')
             END
         AND c.relname IN ('events', 'event_ids', 'idempotency_keys', 'streams', 'appends', 'migrations', 'append_sequence')`;
      await reader.end();
      expect(tables).toEqual([]);
    },
  );

  it("works for a login with synap_app alone where another has migrated, and not before", async () => {
    await admin.unsafe("CREATE ROLE runner LOGIN PASSWORD 'secret'");
    await admin.unsafe("GRANT synap_app TO runner");
    await works("runner", "mighty");
    await admin.unsafe("CREATE DATABASE empty_one TEMPLATE template0");
    const { statements } = await refusal("runner", "empty_one");
    await asAdministrator("empty_one", statements);
    await works("runner", "empty_one");
  });

  it("is refused to a login without rights, which can't even connect to a hardened database", async () => {
    await admin.unsafe("CREATE ROLE nobody LOGIN PASSWORD 'secret'");
    await admin.unsafe("CREATE DATABASE other TEMPLATE template0");
    const first = await refusal("nobody", "other");
    expect(first.message).toContain(
      'may not create schemas in this database, as the login of its owner "postgres" may',
    );
    expect(first.statements).toEqual([
      "CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA public",
      'GRANT CREATE ON DATABASE "other" TO "nobody"',
      'GRANT synap_app TO "nobody" WITH SET TRUE, INHERIT TRUE',
    ]);
    await asAdministrator("other", first.statements);
    await works("nobody", "other");
    await admin.unsafe("CREATE ROLE stranger LOGIN PASSWORD 'secret'");
    await expect(openDatabase({ url: urlOf("stranger", "mighty") })).rejects.toMatchObject({
      code: "DATABASE_REFUSED",
      cause: { code: "42501" },
    });
    await admin.unsafe("GRANT CONNECT ON DATABASE mighty TO stranger");
    const { statements } = await refusal("stranger", "mighty");
    await asAdministrator("mighty", statements);
    await works("stranger", "mighty");
  });

  it("reports a migration that a login without the owner's rights may not apply", async () => {
    const owner = await openDatabase({ url: urlOf("mighty", "mighty") });
    await owner.asOwner((session) =>
      session.query("DELETE FROM synap.migrations WHERE name = 'views/event_stream.sql'"),
    );
    await owner.close();
    const error = await refusal("runner", "mighty");
    expect(error.message).toContain("views/event_stream.sql");
    expect(error.message).toContain('"mighty"');
  });

  it("holds readers back for an append that is prepared and has no session", async () => {
    await admin.unsafe("ALTER SYSTEM SET max_prepared_transactions = 4");
    for (const database of databases.splice(0)) await database.close();
    await admin.end();
    await server.kill();
    await server.start();
    admin = postgres(server.url, { max: 1, onnotice: () => {} });
    const database = await openDatabase({ url: urlOf("creator", "created"), maxConnections: 3 });
    databases.push(database);
    await migrate(database);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const note = () =>
      seedCatalogue.completeEvent({ type: "note.creation.completed", data: { content: "hi" } });
    const { position: start } = await store.readAll({ after: 0, limit: 100 });
    const session = postgres(urlOf("creator", "created"), { max: 1, connection: { role: "synap_app" } });
    const event = note();
    await session.unsafe("BEGIN");
    await session.unsafe(
      `SELECT synap.append_new_events($1::text::json, ARRAY['note'], ARRAY[$2::text], ARRAY[1], ARRAY[$3::bigint],
         ARRAY[$3::bigint], ARRAY[1], ARRAY[1], ARRAY[NULL], ARRAY[$4::text])`,
      [JSON.stringify([event]), event.aggregateId, Date.parse(event.timestamp), event.createdBy],
    );
    await session.unsafe("PREPARE TRANSACTION 'append'");
    await session.end();
    await store.append(note());
    expect((await store.readAll({ after: start, limit: 10 })).events).toEqual([]);
    const [holder] = await database.query("SELECT pid, login, state FROM synap.watermark_holder()");
    expect(holder).toMatchObject({ pid: 0, state: "prepared transaction" });
    await asAdministrator("created", ["COMMIT PREPARED 'append'"]);
    expect((await store.readAll({ after: start, limit: 10 })).events).toHaveLength(2);
  });
});
