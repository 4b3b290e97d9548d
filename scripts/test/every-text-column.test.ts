import { transactionFromDrizzle, UnstorableTextError } from "@synap/database";
import { describeOnEveryEngine, type TestEngine } from "@synap/database/testing";
import { installInngestLocal } from "@synap/inngest-local";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";

/** Another seed for a search by hand; what fails prints its seed too. */
const SEED = Number(process.env["SYNAP_SEED"] ?? 20_261_126);
const LONG = 100_000;

/** Texts that decoders, comparisons and normalisation treat specially. */
const NOTABLE = [
  "",
  "X",
  "\ufeffX",
  "\ufeff\ufeffX",
  "\ufffeX",
  "\u200bX",
  "X ",
  "x",
  "\u00e9",
  "e\u0301",
  "\ufb01",
  "fi",
  "\u1e9b\u0323",
  "\uac00",
  "\u1100\u1161",
  "\u{1f469}\u200d\u{1f680}",
  "\u{10ffff}",
  "\ufffd",
  "\r\n",
  "\\x41 \\u0041 'quoted' \"too\"",
  `\ufeff${"\u{1f600}\u00e9a".repeat(LONG / 4)}`,
];

const anyText = fc
  .tuple(fc.constantFrom("", "\ufeff"), fc.string({ unit: "binary", maxLength: 40 }))
  .map(([start, rest]) => start + rest.replaceAll("\0", "").toWellFormed());

/** The notable texts and ten more, no two equal. */
const texts = [...new Set([...NOTABLE, ...fc.sample(anyText, { numRuns: 10, seed: SEED })])];

interface TextColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

/**
 * Every column of ours that holds text or JSON, in tables and partitioned tables; views read from those. A column of
 * type name holds the name of a role, which PostgreSQL itself cuts at 63 bytes.
 */
const COLUMNS = `
SELECT format('%I.%I', n.nspname, c.relname) AS table,
       quote_ident(a.attname) AS column,
       format_type(a.atttypid, a.atttypmod) AS type
  FROM pg_attribute AS a
  JOIN pg_class AS c ON c.oid = a.attrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_type AS t ON t.oid = a.atttypid
 WHERE (n.nspname LIKE 'synap%' OR n.nspname = 'inngest_local')
   AND c.relkind IN ('r', 'p')
   AND a.attnum > 0 AND NOT a.attisdropped
   AND t.typname <> 'name'
   AND (t.typcategory = 'S' OR t.typname IN ('json', 'jsonb') OR t.typtype = 'd')
 ORDER BY 1, 2`;

describeOnEveryEngine(`every column of text, seed ${SEED}`, (engine) => {
  let columns: TextColumn[];
  beforeAll(async () => {
    const { database } = engine;
    await installInngestLocal({
      query: (text) => database.asOwner((owner) => owner.query(text)),
      transaction: (work) => database.asOwner((owner) => work({ query: (text) => owner.query(text) })),
    });
    columns = await database.query<TextColumn>(COLUMNS);
  });

  it("is found in the catalogue, in the schemas of the store and of the local broker", () => {
    const found = columns.map(({ table, column }) => `${table}.${column}`);
    expect(found).toEqual(
      expect.arrayContaining(["synap.events.data", "synap.checkpoints.handler", "inngest_local.steps.name"]),
    );
    expect([...new Set(columns.map(({ type }) => type))].sort()).toEqual(["json", "jsonb", "text"]);
  });

  it("gives back what it was given, and keeps apart what differs", async () => {
    for (const [index, column] of columns.entries()) {
      expect([column, await faultsOf(engine, column, index)]).toEqual([column, []]);
    }
  });

  it("gives back what it was given in a drizzle transaction that the application lends", async () => {
    const { orm } = engine.database;
    await orm.transaction(async (lent) => {
      const transaction = transactionFromDrizzle(lent);
      await transaction.execute(
        "CREATE TEMPORARY TABLE lent_text (value text, json jsonb, place integer) ON COMMIT DROP",
      );
      for (const [place, text] of texts.entries()) {
        await transaction.query("INSERT INTO lent_text VALUES ($1, $2::text::jsonb, $3)", [
          text,
          JSON.stringify({ [text]: [text] }),
          place,
        ]);
      }
      const expected = texts.map((text) => ({ value: text, json: { [text]: [text] } }));
      const read = "SELECT value, json FROM lent_text ORDER BY place";
      expect(await transaction.query(read)).toEqual(expected);
      expect(await transaction.savepoint((inner) => inner.query(read))).toEqual(expected);
    });
  });

  it("is given no text that would change on its way: the parameter is refused by its number", async () => {
    for (const [text, fault] of [
      ["a\ud83d", "lone-surrogate"],
      ["\udc00b", "lone-surrogate"],
      ["a\0b", "nul-character"],
    ] as const) {
      const { database } = engine;
      const expected = { code: "UNSTORABLE_TEXT", parameter: 2, fault };
      const statement = "SELECT $1::text AS one, $2::text AS two";
      await expect(database.query(statement, ["sound", text])).rejects.toMatchObject(expected);
      await expect(
        database.transaction((open) => open.query(statement, ["sound", text])),
      ).rejects.toBeInstanceOf(UnstorableTextError);
      await expect(
        database.asOwner((owner) => owner.query(statement, ["sound", text])),
      ).rejects.toBeInstanceOf(UnstorableTextError);
      // In JSON it is an escape, which a column of type json keeps.
      const json = JSON.stringify({ text });
      expect(await database.query("SELECT $1::text::json AS json", [json])).toEqual([{ json: { text } }]);
    }
  });
});

/** Stores every text in an empty copy of the column and reads it back, as it is, by its value, and in groups. */
async function faultsOf(
  { database }: TestEngine,
  { table, column, type }: TextColumn,
  index: number,
): Promise<string[]> {
  const isJson = type !== "text";
  const value = (text: string) => (isJson ? JSON.stringify({ [text]: [text] }) : text);
  const read = (text: string) => (isJson ? { [text]: [text] } : text);
  // A json column has neither equality nor groups.
  const key = type === "json" ? `${column}::text` : column;
  const given = type === "json" ? "$1::text" : `$1::text::${type}`;
  return database.asOwner(async (open) => {
    const copy = `text_copy_${index}`;
    await open.execute(`
      CREATE TEMPORARY TABLE ${copy} ON COMMIT DROP AS SELECT ${column} FROM ${table} WHERE false;
      ALTER TABLE ${copy} ADD COLUMN place integer;`);
    for (const [place, text] of texts.entries()) {
      await open.query(`INSERT INTO ${copy} (${column}, place) VALUES ($1::text::${type}, $2)`, [
        value(text),
        place,
      ]);
    }
    const stored = await open.query<{ value: unknown }>(
      `SELECT ${column} AS value FROM ${copy} ORDER BY place`,
    );
    expect(stored.map((row) => row.value)).toEqual(texts.map(read));
    const groups = await open.query<{ count: number }>(
      `SELECT count(*) AS count FROM ${copy} GROUP BY ${key}`,
    );
    expect(groups).toHaveLength(texts.length);
    const faults: string[] = [];
    for (const [place, text] of texts.entries()) {
      const equal = await open.query<{ place: number }>(
        `SELECT place FROM ${copy} WHERE ${key} = ${given} ORDER BY place`,
        [value(text)],
      );
      if (equal.length !== 1 || equal[0]?.place !== place) faults.push(text);
    }
    return faults;
  });
}
