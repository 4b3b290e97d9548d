import type { Database, SqlParameter, Transaction } from "@synap/database";
import { createEventStore, ownRows, RowsNotOwnedError, sqlState } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, noteCreationRequested, seedCatalogue } from "@synap/types";
import { asc, eq, sql } from "drizzle-orm";
import { index, text } from "drizzle-orm/pg-core";
import { beforeAll, expect, it } from "vitest";
import { EventDispatcher } from "./engine/event-dispatcher.ts";
import { defineProjection, type Projection } from "./projections/projection.ts";
import { keyText, moment, type RowOwner, readTable } from "./projections/read-table.ts";

const COLUMNS = {
  id: keyText("id").primaryKey(),
  ownerId: keyText("owner_id"),
  writtenBy: keyText("written_by").notNull(),
  content: text("content").notNull(),
};
const pages = readTable("pages", COLUMNS, (table) => [index().on(table.ownerId, table.id)]);
const datedPages = readTable("pages", { ...COLUMNS, writtenAt: moment("written_at").notNull() }, (table) => [
  index().on(table.ownerId, table.id),
]);
const secrets = readTable("secrets", { id: keyText("id").primaryKey() });
type Owner = RowOwner<"id" | "ownerId" | "writtenBy" | "content">;

const BASE = { description: "Pages.", events: [noteCreationRequested], mode: "async" } as const;
const pagesProjection = (owner: Owner | undefined): Projection =>
  defineProjection({
    ...BASE,
    name: "pages",
    version: 1,
    table: pages,
    ...(owner !== undefined && { owner }),
    evolve: (_, { aggregateId: id, userId, createdBy, data }) => ({
      id,
      ownerId: userId ?? null,
      writtenBy: createdBy,
      content: data.content,
    }),
  });
const datedProjection = defineProjection({
  ...BASE,
  name: "pages",
  version: 2,
  table: datedPages,
  owner: { userId: "ownerId" },
  evolve: (_, { aggregateId: id, userId, createdBy, data, timestamp }) => ({
    id,
    ownerId: userId ?? null,
    writtenBy: createdBy,
    content: data.content,
    writtenAt: timestamp,
  }),
});
const secretsProjection = defineProjection({
  ...BASE,
  name: "secrets",
  version: 1,
  table: secrets,
  evolve: (_, { aggregateId: id }) => ({ id }),
});

const BOTH: Owner = { userId: "ownerId", createdBy: "writtenBy" };
const ANN = { userId: "ann" };
const ROBOT = { createdBy: "agent:robot" };

describeOnEveryEngine("a read table with an owner", (engine) => {
  const dispatcher = (...projections: Projection[]) =>
    new EventDispatcher({ database: engine.database, catalogue: seedCatalogue, handlers: [], projections });
  const start = async (...projections: Projection[]) => {
    const started = dispatcher(...projections, secretsProjection);
    await started.projections.prepare();
    return started;
  };
  const contentsOf = async (visibility: typeof ANN | typeof ROBOT) =>
    (
      await ownRows(engine.database, visibility).query<{ content: string }>(
        "SELECT content FROM synap_read.pages ORDER BY id",
      )
    ).map(({ content }) => content);
  const errorOf = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  beforeAll(async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const page = (aggregateId: string, fields: object) =>
      createSynapEvent({
        type: "note.creation.requested",
        aggregateId,
        data: { content: `page ${aggregateId}` },
        createdBy: "system",
        ...fields,
      });
    await store.appendBatch([
      page("1", { ...ANN, createdBy: "user:ann" }),
      page("2", { ...ANN, ...ROBOT }),
      page("3", { userId: "bob", createdBy: "user:bob" }),
      page("4", {}),
      page("5", { userId: "bob", ...ROBOT }),
    ]);
    const started = await start(pagesProjection(BOTH));
    await started.catchUp("pages");
    await started.catchUp("secrets");
  });

  it("shows a user and an actor their own rows, by SQL and by drizzle, under the name that shows all rows to others", async () => {
    expect(await contentsOf(ANN)).toEqual(["page 1", "page 2"]);
    expect(await contentsOf(ROBOT)).toEqual(["page 2", "page 5"]);
    expect(await contentsOf({ userId: "nobody" })).toEqual([]);
    const { orm } = ownRows(engine.database, ANN);
    const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);
    expect(ids(await orm.select({ id: pages.id }).from(pages).orderBy(asc(pages.id)))).toEqual(["1", "2"]);
    expect(await orm.select().from(pages).where(eq(pages.ownerId, "bob"))).toEqual([]);
    expect(await orm.select().from(pages).where(eq(pages.id, "3"))).toEqual([]);
    expect(await orm.$count(pages)).toBe(2);
    const joined = await orm
      .select({ id: pages.id })
      .from(pages)
      .innerJoin(sql`synap_read.pages AS other`, sql`other.id <> ${pages.id}`)
      .orderBy(asc(pages.id));
    expect(ids(joined)).toEqual(["1", "2"]);
    const inTransaction = await orm.transaction(async (transaction) => [
      await transaction.$count(pages),
      (await transaction.select().from(pages).where(eq(pages.ownerId, "bob"))).length,
    ]);
    expect(inTransaction).toEqual([2, 0]);
    expect(await ownRows(engine.database, { all: true }).orm.$count(pages)).toBe(5);
  });

  it("gives a transaction of drizzle the isolation that it asks for", async () => {
    const cases = (["read committed", "repeatable read", "serializable"] as const).flatMap(
      (isolationLevel) => [
        { isolationLevel, visibility: ANN, count: 2 },
        { isolationLevel, visibility: { all: true }, count: 5 } as const,
      ],
    );
    for (const { isolationLevel, visibility, count } of cases) {
      const { orm } = ownRows(engine.database, visibility);
      const seen = await orm.transaction(
        async (transaction) => [
          await transaction.execute(sql`SELECT current_setting('transaction_isolation') AS level`),
          await transaction.$count(pages),
        ],
        { isolationLevel, accessMode: "read only" },
      );
      expect(seen).toMatchObject([{ rows: [{ level: isolationLevel }] }, count]);
    }
  });

  it("refuses a table without an owner, the log, and a name that is not replaced, and says what to declare", async () => {
    const { query, orm } = ownRows(engine.database, ANN);
    for (const table of [
      "synap_read.secrets",
      '"synap_read" . secrets',
      "synap.events",
      "synap_read.pages_1",
    ]) {
      const error = await errorOf(query(`SELECT * FROM ${table}`));
      expect([table, error instanceof RowsNotOwnedError || sqlState(error)]).toEqual([
        table,
        // The table of a build has no view, and is none that a read model names.
        table === "synap_read.pages_1" ? expect.toBeOneOf([true, "42P01"]) : true,
      ]);
      expect(String(error)).not.toContain("page 3");
    }
    const refused = await errorOf(orm.select().from(secrets));
    expect(refused instanceof Error && refused.cause).toBeInstanceOf(RowsNotOwnedError);
    expect(String(refused instanceof Error && refused.cause)).toContain('"owner: { userId: ... }"');
    expect(sqlState(await errorOf(query("SELECT * FROM synap_read.not_made")))).toBe("42P01");
    // A name that is replaced by mistake shows nothing either.
    expect(await query("SELECT 'synap_read.pages' AS name")).toEqual([{ name: "synap_read_of_user.pages" }]);
  });

  it("refuses to change rows, and leaves neither the role nor the user to the next statement", async () => {
    const { query, orm } = ownRows(engine.database, ANN);
    const changed = await errorOf(query("UPDATE synap_read.pages SET content = 'mine'"));
    expect(changed).toBeInstanceOf(RowsNotOwnedError);
    const removed = await errorOf(orm.delete(pages));
    expect(removed instanceof Error && removed.cause).toBeInstanceOf(RowsNotOwnedError);
    for (let read = 0; read < 20; read += 1) {
      await contentsOf(ANN);
      const [row] = await engine.database.query<{ role: string; visible: string | null }>(
        "SELECT current_user AS role, nullif(current_setting('synap.visible_to', true), '') AS visible",
      );
      expect(row).toEqual({ role: "synap_app", visible: null });
    }
    expect(await engine.database.orm.$count(pages)).toBe(5);
  });

  it("reads the rows of an owner by the index that begins with it", async () => {
    const plans: string[] = [];
    const { query } = ownRows(explaining(engine.database, plans), ANN);
    await query("SELECT id FROM synap_read.pages ORDER BY id LIMIT 10");
    expect(plans).toHaveLength(1);
    expect(plans[0]).toMatch(/"Index Cond":"\(owner_id = /);
    expect(plans[0]).not.toContain("Seq Scan");
  });

  it("keeps its owners through a cutover to other columns, and through a rollback", async () => {
    const old = pagesProjection(BOTH);
    const started = await start(old, datedProjection);
    const { projections } = started;
    await projections.rebuild("pages", { by: "test" });
    await started.catchUp("pages");
    await projections.cutover("pages", { by: "test" });
    expect(await contentsOf(ANN)).toEqual(["page 1", "page 2"]);
    const [dated] = await ownRows(engine.database, ANN).orm.select().from(datedPages).limit(1);
    expect(dated?.writtenAt).toMatch(/^\d{4}-/);
    // Version 2 has no actors as owners.
    expect(await errorOf(contentsOf(ROBOT))).toBeInstanceOf(RowsNotOwnedError);
    await projections.rollback("pages", { by: "test" });
    expect(await contentsOf(ANN)).toEqual(["page 1", "page 2"]);
    expect(await contentsOf(ROBOT)).toEqual(["page 2", "page 5"]);
    await projections.drop("pages", "previous");
  });

  it("follows its definition when a process starts: no new version is needed", async () => {
    await start(pagesProjection({ userId: "ownerId" }));
    expect(await errorOf(contentsOf(ROBOT))).toBeInstanceOf(RowsNotOwnedError);
    await start(pagesProjection(undefined));
    expect(await errorOf(contentsOf(ANN))).toBeInstanceOf(RowsNotOwnedError);
    await start(pagesProjection({ userId: "content" }));
    expect(await contentsOf(ANN)).toEqual([]);
    expect(await contentsOf({ userId: "page 3" })).toEqual(["page 3"]);
    await start(pagesProjection(BOTH));
    expect(await contentsOf(ANN)).toEqual(["page 1", "page 2"]);
    expect(await contentsOf(ROBOT)).toEqual(["page 2", "page 5"]);
  });
});

it("has an owner that is one of its columns of text", () => {
  const define = (owner: object) => () =>
    defineProjection({
      ...BASE,
      name: "dated",
      version: 1,
      table: datedPages,
      owner,
      evolve: (row) => row,
    });
  expect(define({ userId: "unknown" })).toThrow('has no column "unknown" for its owner');
  expect(define({ createdBy: "writtenAt" })).toThrow('has an owner "writtenAt" that is no text');
  expect(define({ userId: "ownerId", createdBy: "writtenBy" })().tables[0]?.owner).toEqual({
    userId: "owner_id",
    createdBy: "written_by",
  });
});

/** A database whose reading transactions note the plans of statements on read models, without a scan of the whole table. */
function explaining(database: Database, plans: string[]): Database {
  const noting = (own: Transaction): Transaction => ({
    ...own,
    query: async <Row extends object>(statement: string, parameters: readonly SqlParameter[] = []) => {
      if (!statement.includes("synap_read_of")) return own.query<Row>(statement, parameters);
      // The table is small: a scan of it would be cheaper than the index.
      await own.query("SELECT set_config('enable_seqscan', 'off', true)");
      plans.push(JSON.stringify(await own.query(`EXPLAIN (FORMAT JSON) ${statement}`, parameters)));
      return own.query<Row>(statement, parameters);
    },
  });
  return {
    ...database,
    query: (statement, parameters) => database.query(statement, parameters),
    reads: {
      query: (statement, parameters) => database.reads.query(statement, parameters),
      transaction: (work) => database.reads.transaction((own) => work(noting(own))),
    },
  };
}
