import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import {
  ARCHIVE_FORMATS,
  type ArchiveColumn,
  ArchiveFileBrokenError,
  type ArchiveFormat,
  type ArchiveRow,
  archiveFormat,
} from "../index.ts";

/** One column of every type of `synap.events`, and of the other kinds. */
const columns: readonly ArchiveColumn[] = [
  { name: "position", type: "bigint" },
  { name: "timestamp", type: "timestamp(3) with time zone" },
  { name: "id", type: "uuid" },
  { name: "aggregate_id", type: "text" },
  { name: "data", type: "jsonb" },
  { name: "metadata", type: "jsonb" },
  { name: "schema_version", type: "integer" },
  { name: "share", type: "numeric" },
  { name: "is_new", type: "boolean" },
  { name: 'a "name" with \', \\ and é', type: "bytea" },
];

const hostileText = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "").toWellFormed()),
  fc.constantFrom(
    "",
    "null",
    '"',
    "\\",
    '\\"',
    "{",
    "a,b}",
    "\r\n",
    "\u2028",
    "😀",
    "é",
    "\ufeff",
    "2026-01-01T00:00:00Z",
  ),
);
/** Text that jsonb can have, written as PostgreSQL writes it: with a space after colons and commas. */
const postgresJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(postgresJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${postgresJson(each)}`)
    .join(", ")}}`;
};
const json = fc.oneof(
  fc
    .jsonValue({ stringUnit: "binary" })
    .map(postgresJson)
    .filter((text) => !text.includes("\\u0000") && !/\\ud[89a-f]/.test(text)),
  fc.constantFrom(
    "null",
    "{}",
    '""',
    "-0",
    "0.10",
    `1${"0".repeat(400)}`,
    '{"n": 12345678901234567890.10}',
    '{"a": "\\"}, {"}',
  ),
);
const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const time = fc
  .tuple(
    fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
    fc.integer({ min: 0, max: 6 }),
  )
  .map(([date, digits]) => {
    const [seconds = ""] = date.toISOString().replace("T", " ").split(".");
    // PostgreSQL writes no zeros at the end.
    const fraction = ["", ".1", ".12", ".123", ".1234", ".12345", ".000001"][digits] ?? "";
    return `${seconds}${fraction}+00`;
  });
const orNull = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: null, freq: 4 });
const row: fc.Arbitrary<ArchiveRow> = fc
  .tuple(
    integer,
    fc.oneof(
      time,
      fc.constantFrom("infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "12026-01-01 00:00:00+00"),
    ),
    fc.uuid(),
    hostileText,
    json,
    orNull(json),
    orNull(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(String)),
    orNull(fc.constantFrom("NaN", "Infinity", "-Infinity", "0.00", "1e400", "-12.500", "9".repeat(300))),
    orNull(fc.constantFrom("t", "f")),
    orNull(hostileText),
  )
  .map((values) => Object.fromEntries(columns.map(({ name }, index) => [name, values[index] ?? null])));

async function* inBatches(rows: readonly ArchiveRow[], size: number) {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function encoded(format: ArchiveFormat, rows: readonly ArchiveRow[], size = 100): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const bytes of format.encode(columns, inBatches(rows, size))) parts.push(bytes);
  return Buffer.concat(parts);
}

async function decoded(format: ArchiveFormat, bytes: Uint8Array, size = 65_536): Promise<ArchiveRow[]> {
  const rows: ArchiveRow[] = [];
  for await (const batch of format.decode(columns, inPieces(bytes, size))) rows.push(...batch);
  return rows;
}

const plain = (rows: number): ArchiveRow[] =>
  Array.from({ length: rows }, (_, index) => ({
    ...Object.fromEntries(columns.map(({ name }) => [name, null])),
    position: String(index),
    timestamp: "2026-11-28 12:00:00.5+00",
    aggregate_id: `order-${index}`,
    data: `{"total": ${index}.50}`,
  }));

describe.each(ARCHIVE_FORMATS)("the format %s", (name) => {
  const format = archiveFormat(name);

  it("gives back every row as it was, however the rows and the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 20 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 200 }),
        async (rows, batch, piece) => {
          const bytes = await encoded(format, rows, batch);
          expect(await decoded(format, bytes, piece)).toEqual(rows);
          expect((await encoded(format, rows)).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("keeps values of 8 MB, and rows before and after them", async () => {
    const [first = {}, second = {}, third = {}] = plain(3);
    const large = {
      ...second,
      aggregate_id: '\\"😀'.repeat(1_600_000),
      data: `{"text": "${"long ".repeat(1_600_000)}"}`,
    };
    const rows = [first, large, third];
    expect(await decoded(format, await encoded(format, rows))).toEqual(rows);
  });

  it("keeps a file without rows, which isn't a file without bytes", async () => {
    const bytes = await encoded(format, []);
    expect(bytes.length).toBeGreaterThan(0);
    expect(await decoded(format, bytes)).toEqual([]);
    await expect(decoded(format, Buffer.alloc(0))).rejects.toThrow(ArchiveFileBrokenError);
  });

  it("refuses a file that lost its end, anywhere, and one that goes on", async () => {
    const bytes = await encoded(format, plain(3));
    for (let end = 0; end < bytes.length; end += 1) {
      await expect(decoded(format, bytes.subarray(0, end)), `${end} bytes`).rejects.toThrow(
        ArchiveFileBrokenError,
      );
    }
    await expect(decoded(format, Buffer.concat([bytes, bytes]))).rejects.toThrow(ArchiveFileBrokenError);
    await expect(decoded(format, Buffer.from("no such file"))).rejects.toThrow(ArchiveFileBrokenError);
  });

  it("passes on an error of the rows, and refuses a row without one of the columns", async () => {
    const { position: _, ...rest } = plain(1)[0] ?? {};
    await expect(encoded(format, [rest])).rejects.toThrow("no column position");
  });
});

describe("parquet", () => {
  const folder = mkdtempSync(join(tmpdir(), "synap-parquet-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const rows = [
    ...plain(3),
    {
      position: "9223372036854775807",
      timestamp: "2026-11-28 12:00:00.123456+00",
      id: "0199f3c2-7c1e-7b0a-9a54-1f5f0c7e3a11",
      aggregate_id: 'é "😀"',
      data: '{"a": {"b": [1, "x"]}, "n": 12345678901234567890.10}',
      metadata: "null",
      schema_version: "3",
      share: "0.10",
      is_new: "t",
      'a "name" with \', \\ and é': "",
    },
  ];
  async function written(): Promise<string> {
    const path = join(folder, "events.parquet");
    writeFileSync(path, await encoded(archiveFormat("parquet"), rows));
    return path;
  }

  it("is read by DuckDB, with its types", async () => {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    onTestFinished(() => {
      connection.closeSync();
      instance.closeSync();
    });
    const path = await written();
    const types = await connection.runAndReadAll(
      `SELECT column_name, column_type FROM (DESCRIBE FROM '${path}') WHERE column_name IN ('position', 'timestamp', 'data', 'is_new', 'schema_version')`,
    );
    expect(Object.fromEntries(types.getRowsJson())).toEqual({
      position: "BIGINT",
      timestamp: "TIMESTAMP WITH TIME ZONE",
      data: "JSON",
      schema_version: "INTEGER",
      is_new: "BOOLEAN",
    });
    const read = await connection.runAndReadAll(
      `SELECT count(*), max(position), max(epoch_us("timestamp")), count(id), max(data->>'$.a.b[1]'), sum((data->>'total')::double), count(metadata)
       FROM '${path}'`,
    );
    const micros = String(Date.parse("2026-11-28T12:00:00Z") * 1000 + 500_000);
    expect(read.getRowsJson()).toEqual([["4", "9223372036854775807", micros, "1", "x", 4.5, "1"]]);
  });

  const python = spawnSync("python3", ["-c", "import pandas, pyarrow"]).status === 0;
  it.skipIf(!python)("is read by pandas, with its types", async () => {
    const program = `
import json, pandas
frame = pandas.read_parquet(${JSON.stringify(await written())})
last = frame.iloc[3]
print(json.dumps([len(frame), str(frame.timestamp.dtype), last.timestamp.isoformat(), int(last.position), json.loads(last.data)["a"], last.aggregate_id]))`;
    const { stdout } = spawnSync("python3", ["-c", program], { encoding: "utf8" });
    expect(JSON.parse(stdout.replace("9223372036854775807", '"9223372036854775807"'))).toEqual([
      4,
      "datetime64[us, UTC]",
      "2026-11-28T12:00:00.123456+00:00",
      "9223372036854775807",
      { b: [1, "x"] },
      'é "😀"',
    ]);
  });

  it.each([
    "2026-01-01 00:00:00+01",
    "2026-01-01T00:00:00Z",
    "2026-01-01 00:00:00.10+00",
    "2026-02-30 00:00:00+00",
    "2026-01-01 24:00:00+00",
    "0000-01-01 00:00:00+00",
    "02026-01-01 00:00:00+00",
    "281000-01-01 00:00:00+00",
  ])("refuses the time %s, which would not come back as it is", async (timestamp) => {
    const [row = {}] = plain(1);
    await expect(encoded(archiveFormat("parquet"), [{ ...row, timestamp }])).rejects.toThrow(RangeError);
  });

  it("reads null in columns that are newer than the file", async () => {
    const bytes = await encoded(archiveFormat("parquet"), rows);
    const newer = [...columns, { name: "added_later", type: "text" }];
    const found: ArchiveRow[] = [];
    for await (const batch of archiveFormat("parquet").decode(newer, inPieces(bytes, 1000)))
      found.push(...batch);
    expect(found).toEqual(rows.map((row) => ({ ...row, added_later: null })));
  });

  it("refuses a file with other columns", async () => {
    const bytes = await encoded(archiveFormat("parquet"), rows);
    const others = columns.map((column, index) => (index === 3 ? { ...column, name: "aggregate" } : column));
    const read = archiveFormat("parquet").decode(others, inPieces(bytes, 1000));
    await expect(read[Symbol.asyncIterator]().next()).rejects.toThrow("it has other columns");
  });
});

describe("ndjson.zst", () => {
  const missing = ["zstd", "jq"].filter((program) => spawnSync(program, ["--version"]).status !== 0);

  it.skipIf(missing.length > 0)("is read by zstd and jq", async () => {
    const bytes = await encoded(archiveFormat("ndjson.zst"), plain(5000));
    const { stdout, status } = spawnSync(
      "bash",
      ["-c", "zstd -dc | jq -sc '[length, .[3], (map(.data.total) | add)]'"],
      {
        input: bytes,
        encoding: "utf8",
      },
    );
    expect(status).toBe(0);
    const third = {
      position: 3,
      timestamp: "2026-11-28T12:00:00.5Z",
      aggregate_id: "order-3",
      data: { total: 3.5 },
    };
    expect(JSON.parse(stdout)).toEqual([5000, third, (4999 * 5000) / 2 + 2500]);
  });
});
