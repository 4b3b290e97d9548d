import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { logFingerprint } from "../../testing/log-fingerprint.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { createTestLogin } from "../../testing/test-login.ts";
import { migrate } from "../index.ts";
import { compressEvents, createEventStore, createExposureWatch, findExposures } from "../internal.ts";
import { WRITABLE_TABLES } from "./hardening.ts";

interface Routine {
  readonly signature: string;
  readonly kind: "f" | "p";
  readonly types: readonly string[];
  readonly optional: number;
}

// Those that everybody may run and SQL can call: all of the extensions', and of PostgreSQL's own those that may change
// something. The ones that sleep do nothing but hold their session.
const ROUTINES = `
SELECT p.oid::regprocedure::text AS signature, p.prokind AS kind, p.pronargdefaults AS optional,
       (SELECT coalesce(json_agg(format_type(t, NULL)), '[]') FROM unnest(p.proargtypes::oid[]) AS t) AS types
  FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname NOT IN ('synap', 'synap_read', 'information_schema')
   AND (n.nspname <> 'pg_catalog' OR p.provolatile = 'v' AND p.proname !~ '^pg_sleep')
   AND p.prokind IN ('f', 'p')
   AND has_function_privilege('public', p.oid, 'EXECUTE')
   AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
   AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
 ORDER BY 1`;

/** Arguments with which a routine reaches the log, if it can be reached: per type, the first is for the first call. */
function valuesFor(type: string, targets: readonly string[]): readonly string[] {
  const literal = (text: string) => `'${text}'`;
  if (type === "regclass") return targets.map((target) => `'${target}'::regclass`);
  if (type === "oid") return targets.map((target) => `'${target}'::regclass::oid`);
  if (type === "name") return ["'events'::name", "'synap'::name"];
  if (type === "text" || type === "cstring")
    return ["'synap'", "'events'", "'DELETE FROM synap.streams'"].map((each) => `${each}::${type}`);
  if (type === "anyelement" || type === "any") return ["now()"];
  if (type === "interval") return ["interval '1 second'"];
  if (type.startsWith("timestamp") || type === "date") return [`now()::${type}`];
  if (type === "boolean") return ["true", "false"];
  if (/^(integer|bigint|smallint)$/.test(type)) return [`1::${type}`, `1000::${type}`];
  if (type === "jsonb")
    return [`'{"hypertable_id": 1, "drop_after": "1 second", "compress_after": "1 second"}'::jsonb`];
  return [`NULL::${type}`, literal("1")];
}

/** The calls of a routine: over each table of the log, with and without its optional arguments. */
function callsOf({ signature, kind, types, optional }: Routine, targets: readonly string[]): string[] {
  const name = signature.slice(0, signature.indexOf("("));
  const calls = new Set<string>();
  for (const count of new Set([types.length, types.length - optional])) {
    for (let pick = 0; pick < Math.max(targets.length, 2); pick += 1) {
      const values = types.slice(0, count).map((type) => {
        const all = valuesFor(type, targets);
        return all[pick % all.length] ?? "NULL";
      });
      calls.add(`${kind === "p" ? "CALL" : "SELECT"} ${name}(${values.join(", ")})`);
    }
  }
  return [...calls];
}

/** A role without any right. */
const UNRELATED = `synap_test_unrelated_${randomUUID().slice(0, 8)}`;

describe.each(testEngines())("the rights of PUBLIC (%s)", (engine) => {
  let test: TestDatabase;
  let targets: readonly string[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(engine);
    const { database } = test;
    await migrate(database);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    await store.appendBatch(noteEvents(12, (index) => ({ timestamp: daysAgo(index / 2) })));
    if (database.capabilities.edition === "community") {
      await compressEvents(database, { before: new Date(Date.now() - 3 * 86_400_000) });
    }
    const rows = await database.asOwner((owner) =>
      owner.query<{ name: string }>(`
        (SELECT format('%I.%I', schema_name, table_name) AS name FROM _timescaledb_catalog.chunk ORDER BY id LIMIT 1)
        UNION
        (SELECT format('%I.%I', schema_name, table_name) FROM _timescaledb_catalog.chunk ORDER BY id DESC LIMIT 1)`),
    );
    targets = ["synap.events", ...rows.map(({ name }) => name)];
    await database.asOwner((owner) =>
      owner.execute(`
        CREATE ROLE ${UNRELATED} NOLOGIN`),
    );
  });
  afterAll(async () => {
    await test.database.asOwner((owner) => owner.execute(`DROP ROLE ${UNRELATED}`));
    await test.drop();
  });

  it("have no exposure after migrating, and report one when an update of the extension grants rights again", async () => {
    const { database } = test;
    expect(await findExposures(database)).toEqual([]);
    await database.asOwner((owner) =>
      owner.execute("GRANT EXECUTE ON FUNCTION _timescaledb_functions.drop_chunk(regclass) TO PUBLIC"),
    );
    expect(await findExposures(database)).toEqual([
      { kind: "routines", count: 1, examples: ["_timescaledb_functions.drop_chunk(regclass)"] },
    ]);
    expect(await migrate(database)).toMatchObject({ applied: [], exposures: [] });
    expect(await findExposures(database)).toEqual([]);
  });

  it("lose CONNECT and any rights on the log's tables by hardening", async () => {
    const { database } = test;
    await database.asOwner(async (owner) => {
      const [row] = await owner.query<{ name: string }>("SELECT quote_ident(current_database()) AS name");
      await owner.execute(`
        ${engine === "server" ? `GRANT CONNECT ON DATABASE ${row?.name} TO PUBLIC;` : ""}
        GRANT DELETE ON synap.event_ids TO synap_app;
        GRANT INSERT ON synap.events TO PUBLIC;
        GRANT UPDATE (version, closed_at) ON synap.streams TO ${UNRELATED};
        GRANT UPDATE ON SEQUENCE synap.append_sequence TO ${UNRELATED} WITH GRANT OPTION;
        GRANT USAGE ON SCHEMA synap TO ${UNRELATED};
        SET LOCAL ROLE ${UNRELATED};
        GRANT UPDATE ON SEQUENCE synap.append_sequence TO synap_sql;
        SET LOCAL ROLE NONE;
        REVOKE USAGE ON SCHEMA synap FROM ${UNRELATED};
        GRANT CREATE ON SCHEMA public TO PUBLIC;`);
    });
    // The embedded engine takes no connections.
    const kinds = engine === "server" ? ["connect", "create", "tables"] : ["create", "tables"];
    const exposures = await findExposures(database);
    expect(exposures.map(({ kind }) => kind)).toEqual(kinds);
    const writable = await database.asOwner((owner) => owner.query<{ name: string }>(WRITABLE_TABLES));
    expect(writable.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "synap.event_ids",
        "synap.events",
        "synap.streams",
        "synap.append_sequence",
        targets[1],
      ]),
    );
    expect((await migrate(database)).exposures).toEqual([]);
  });

  it("are checked once a minute while there is no exposure, and on every call otherwise", async () => {
    const { database } = test;
    let now = 0;
    const look = createExposureWatch(database, () => now);
    expect(await look()).toEqual([]);
    await database.asOwner((owner) => owner.execute("GRANT DELETE ON synap.event_ids TO synap_app"));
    now = 59_999;
    expect(await look()).toEqual([]);
    now = 60_000;
    expect(await look()).toMatchObject([{ kind: "tables" }]);
    await migrate(database);
    expect(await look()).toEqual([]);
  });

  /** Tries every routine as a role, each in a transaction that is undone. @returns those that changed the log */
  async function harmfulAs(role: string): Promise<{ harmful: string[]; called: number }> {
    const { database } = test;
    const routines = await database.asOwner((owner) => owner.query<Routine>(ROUTINES));
    const before = await database.asOwner(logFingerprint);
    const harmful: string[] = [];
    let called = 0;
    for (const routine of routines) {
      const undone = database.asOwner(async (owner) => {
        for (const call of callsOf(routine, targets)) {
          await owner
            .savepoint(async (inner) => {
              await inner.execute(`SET LOCAL ROLE ${role}`);
              await inner.execute(call);
              called += 1;
            })
            .catch(() => {});
        }
        await owner.execute("SET LOCAL ROLE NONE");
        if ((await logFingerprint(owner)) !== before) harmful.push(routine.signature);
        throw new Error("undone");
      });
      await expect(undone).rejects.toThrow("undone");
    }
    return { harmful, called };
  }

  it.each(["synap_app", "synap_sql", "synap_sql_own", "synap_reader", UNRELATED])(
    "do not let %s damage the log by any call",
    async (role) => {
      const { harmful, called } = await harmfulAs(role);
      expect(harmful).toEqual([]);
      expect(called).toBeGreaterThan(50);
    },
  );

  it("would let anybody damage the log with drop_chunk, which the attempts detect", async () => {
    const { database } = test;
    const drop = "FUNCTION _timescaledb_functions.drop_chunk(regclass)";
    await database.asOwner((owner) => owner.execute(`GRANT EXECUTE ON ${drop} TO PUBLIC`));
    const { harmful } = await harmfulAs(UNRELATED);
    await database.asOwner((owner) => owner.execute(`REVOKE EXECUTE ON ${drop} FROM PUBLIC`));
    expect(harmful).toEqual(["_timescaledb_functions.drop_chunk(regclass)"]);
  });

  // Procedures that commit can't be called inside a transaction.
  it.runIf(engine === "server").each(["synap_app", "synap_sql", undefined])(
    "do not let a login with the role %s damage the log by calling procedures outside of a transaction",
    async (role) => {
      const { database } = test;
      const before = await database.asOwner(logFingerprint);
      const login = await createTestLogin(test, role);
      for (const routine of await database.asOwner((owner) => owner.query<Routine>(ROUTINES))) {
        if (routine.kind !== "p") continue;
        for (const call of callsOf(routine, targets)) await login.session.unsafe(call).catch(() => {});
      }
      expect(await login.session`SELECT 1 AS alive`).toHaveLength(1);
      await login.drop();
      expect(await database.asOwner(logFingerprint)).toBe(before);
    },
  );
});
