import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { MigrationFolderMissingError, migrate } from "../index.ts";
import { pendingMigrations } from "../internal.ts";
import { readMigrationFiles, SQL_DIRECTORY } from "./migration-files.ts";

describe.each(testEngines())("migrations of an application (%s)", (engine) => {
  let test: TestDatabase;
  let folder: string;
  const write = (name: string, sql: string) => writeFile(join(folder, name), sql);
  const applications = (release = "1.0.0") => [{ folder, ledger: "shop", release }];
  const run = (release?: string) => migrate(test.database, { applications: applications(release) });
  const ask = async (sql: string) => (await test.database.query<{ value: unknown }>(sql))[0]?.value;
  beforeEach(async () => {
    test = await createTestDatabase(engine);
    folder = await mkdtemp(join(tmpdir(), "synap-application-"));
    await mkdir(join(folder, "functions"));
    await mkdir(join(folder, "views"));
    await write(
      "0001_orders.sql",
      `CREATE SCHEMA shop; GRANT USAGE ON SCHEMA shop TO synap_app;
       CREATE TABLE shop.orders (id text PRIMARY KEY, price integer NOT NULL);
       GRANT SELECT, INSERT ON shop.orders TO synap_app;`,
    );
    // By name alone the first two would come before what they need.
    await write(
      "functions/a_total.sql",
      `CREATE OR REPLACE FUNCTION shop.a_total() RETURNS bigint LANGUAGE sql STABLE
       AS $$ SELECT coalesce(sum(shop.with_tax(o.price)), 0)::bigint FROM shop.orders AS o $$;`,
    );
    await write(
      "functions/one_order.sql",
      `CREATE OR REPLACE FUNCTION shop.one_order(id text) RETURNS SETOF shop.priced LANGUAGE sql STABLE
       AS $$ SELECT * FROM shop.priced AS p WHERE p.id = one_order.id $$;`,
    );
    await write("functions/with_tax.sql", withTax("price * 2"));
    await write(
      "views/priced.sql",
      "CREATE OR REPLACE VIEW shop.priced AS SELECT o.id, shop.with_tax(o.price) AS price FROM shop.orders AS o;",
    );
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
    await test.drop();
  });

  const withTax = (body: string) =>
    `CREATE OR REPLACE FUNCTION shop.with_tax(price integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT ${body} $$;`;

  it("applies files that are given as text, and refuses a name that it would ignore in a folder", async () => {
    const files = {
      "0001_shelves.sql": "CREATE SCHEMA depot; CREATE TABLE depot.shelves (id text PRIMARY KEY);",
      "views/all_shelves.sql": "CREATE OR REPLACE VIEW depot.all_shelves AS SELECT id FROM depot.shelves;",
    };
    const given = (more: Record<string, string> = {}) => [{ ledger: "depot", files: { ...files, ...more } }];
    const seen: string[] = [];
    const onApplied = (name: string, ledger: string) => seen.push(`${ledger}/${name}`);
    const { applied } = await migrate(test.database, { applications: given(), onApplied });
    expect(applied).toEqual(Object.keys(files));
    expect(seen).toEqual(applied.map((name) => `depot/${name}`));
    expect((await migrate(test.database, { applications: given() })).applied).toEqual([]);
    const stray = migrate(test.database, { applications: given({ "shelves.sql": "SELECT 1" }) });
    await expect(stray).rejects.toThrow("shelves.sql can't be applied: its name has to be like 0001_");
  });

  it("names the ledger, the file and the line of a fault", async () => {
    const failing = (name: string, sql: string) =>
      migrate(test.database, { applications: [{ ledger: "depot", files: { [name]: sql } }] });
    await expect(
      failing("0001_shelves.sql", "SELECT '\u{1f4e6}';\n\nCREATE TABEL depot.x (id text);"),
    ).rejects.toThrow(
      'The migration depot/0001_shelves.sql, line 3, failed and was rolled back: syntax error at or near "TABEL"',
    );
    await expect(
      failing("views/x.sql", "CREATE OR REPLACE VIEW public.x AS\nSELECT nothing;"),
    ).rejects.toMatchObject({
      migration: "depot/views/x.sql",
      line: 2,
    });
    // A fault that is found while it runs has no place.
    const division = failing("0001_shelves.sql", "\nSELECT 1 / 0;");
    await expect(division).rejects.toThrow("The migration depot/0001_shelves.sql failed and was rolled back");
  });

  it("names a folder that doesn't exist", async () => {
    const missing = [{ ledger: "shop", folder: join(folder, "migrations") }];
    await expect(migrate(test.database, { applications: missing })).rejects.toThrow(
      MigrationFolderMissingError,
    );
  });

  it("applies its files after ours in a separate ledger, functions and views after those they use", async () => {
    const fresh = await createTestDatabase(engine, "empty");
    const ours = (await readMigrationFiles(SQL_DIRECTORY)).map(({ name }) => name);
    const theirs = [
      "0001_orders.sql",
      "functions/with_tax.sql",
      "functions/a_total.sql",
      "views/priced.sql",
      "functions/one_order.sql",
    ];
    const both = await migrate(fresh.database, { applications: [{ folder, ledger: "shop" }] });
    await fresh.drop();
    expect(both.applied).toEqual([...ours, ...theirs]);

    const pending = () => pendingMigrations(test.database, { applications: applications() });
    expect(await pending()).toEqual(theirs.map((name) => ({ ledger: "shop", name })));
    expect((await run()).applied).toEqual(theirs);
    expect(await pending()).toEqual([]);
    expect((await run()).applied).toEqual([]);
    expect(await pendingMigrations(test.database)).toEqual([]);
    await test.database.query("INSERT INTO shop.orders VALUES ('o1', 3)");
    expect(await ask("SELECT shop.a_total()::text AS value")).toBe("6");
  });

  it("replaces a function when its text changes, keeps its dependents, and drops one whose file is gone", async () => {
    await run();
    await test.database.query("INSERT INTO shop.orders VALUES ('o1', 3)");
    await write("functions/with_tax.sql", withTax("price * 3"));
    await rm(join(folder, "functions/one_order.sql"));
    expect((await run()).applied).toEqual(["functions/with_tax.sql", "functions/one_order.sql"]);
    expect(await ask("SELECT shop.a_total()::text AS value")).toBe("9");
    expect(await ask("SELECT to_regproc('shop.one_order')::text AS value")).toBeNull();
    expect((await run()).applied).toEqual([]);
  });

  it.each([
    ["arguments", "price integer, rate integer", "integer"],
    ["results", "price integer", "bigint"],
  ])(
    "refuses changed %s, names the statement that drops the old ones, and accepts it",
    async (_, parameters, result) => {
      await run();
      await write(
        "functions/with_tax.sql",
        `CREATE OR REPLACE FUNCTION shop.with_tax(${parameters}) RETURNS ${result} LANGUAGE sql AS $$ SELECT 1::${result} $$;`,
      );
      await rm(join(folder, "functions/a_total.sql"));
      await rm(join(folder, "functions/one_order.sql"));
      await rm(join(folder, "views/priced.sql"));
      const statement = "DROP FUNCTION shop.with_tax(price integer)";
      await expect(run()).rejects.toMatchObject({ code: "SIGNATURE_CHANGED", statements: [statement] });
      expect(await ask("SELECT shop.a_total()::text AS value")).toBe("0");

      await write("0002_drop_with_tax.sql", `${statement} CASCADE;`);
      expect((await run()).applied).toContain("functions/with_tax.sql");
    },
  );

  it("applies functions and views again after a numbered file, which may have dropped them", async () => {
    await run();
    await write(
      "0002_anew.sql",
      "DROP VIEW shop.priced CASCADE; ALTER TABLE shop.orders ADD COLUMN note text;",
    );
    expect((await run()).applied).toEqual(
      expect.arrayContaining(["views/priced.sql", "functions/one_order.sql"]),
    );
    expect(await ask("SELECT to_regproc('shop.one_order')::text AS value")).toBe("shop.one_order");
  });

  it("refuses to restore the functions of an earlier release, and a ledger with unknown files", async () => {
    await run("1.10.0");
    await write("functions/with_tax.sql", withTax("price * 4"));
    const newer = { code: "SCHEMA_NEWER", migration: "shop/functions/with_tax.sql", release: "1.10.0" };
    await expect(run("1.9.0")).rejects.toMatchObject(newer);
    await write("functions/with_tax.sql", withTax("price * 2"));
    expect((await run("1.9.0")).applied).toEqual([]);

    await rm(join(folder, "0001_orders.sql"));
    await expect(run("1.10.0")).rejects.toMatchObject({
      code: "MIGRATION_CHANGED",
      migration: "shop/0001_orders.sql",
      message: expect.stringContaining("was applied, and there is no such file"),
    });
    await expect(run("1.9.0")).rejects.toMatchObject({ code: "SCHEMA_NEWER" });
  });

  it("refuses an edited file, two files of one number, a file that defines something else, and a taken ledger", async () => {
    await run();
    const edited = join(folder, "0001_orders.sql");
    await writeFile(edited, "SELECT 1;");
    await expect(run()).rejects.toMatchObject({ code: "MIGRATION_CHANGED" });
    await write("0001_other.sql", "SELECT 1;");
    await expect(run()).rejects.toMatchObject({
      code: "MIGRATION_FILE_INVALID",
      migration: "0001_other.sql",
    });
    await rm(join(folder, "0001_other.sql"));
    await write("functions/other.sql", withTax("1"));
    await expect(run()).rejects.toMatchObject({
      code: "MIGRATION_FILE_INVALID",
      migration: "functions/other.sql",
    });
    for (const ledger of ["synap", "My Shop"]) {
      await expect(migrate(test.database, { applications: [{ folder, ledger }] })).rejects.toMatchObject({
        code: "MIGRATION_LEDGER_INVALID",
      });
    }
  });
});
