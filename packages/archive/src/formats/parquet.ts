import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type SchemaElement,
} from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import {
  type ArchiveColumn,
  ArchiveFileBrokenError,
  type ArchiveFormat,
  type ArchiveRow,
} from "../archive-format.ts";
import { type ColumnKind, kindOf } from "./column-kind.ts";
import { microsecondsOf, textOfMicroseconds } from "./microseconds.ts";
import { withTemporaryFile } from "./temporary-file.ts";
import { fromFrame, loadZstd, toFrame } from "./zstd.ts";

/** A group of rows ends at the first of the two. It is in memory as a whole, several times over, while it is written or read. */
const GROUP_ROWS = 50_000;
const GROUP_CHARACTERS = 16 * 1024 * 1024;

/**
 * Parquet: columns with types, groups of rows, pages compressed with zstd. DuckDB and pyarrow read it. Integers are INT32 or INT64, times are
 * TIMESTAMP in microseconds UTC, jsonb is JSON, and everything else is STRING, numbers with fractions too, which no binary form keeps.
 */
export const parquet: ArchiveFormat = { name: "parquet", extension: "parquet", encode, decode };

async function* encode(
  columns: readonly ArchiveColumn[],
  batches: AsyncIterable<readonly ArchiveRow[]>,
): AsyncIterable<Uint8Array> {
  await loadZstd();
  const writer = new ByteWriter();
  const schema: SchemaElement[] = [{ name: "root", num_children: columns.length }, ...columns.map(elementOf)];
  const file = new ParquetWriter({
    writer,
    schema,
    codec: "ZSTD",
    compressors: { ZSTD: toFrame },
    createdBy: "synap",
  });
  /** The bytes that were written since the last call. */
  const taken = () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  let group = startGroup(columns);
  for await (const rows of batches) {
    for (const row of rows) {
      addTo(group, row);
      if (group.rows < GROUP_ROWS && group.characters < GROUP_CHARACTERS) continue;
      await writeGroup(file, group);
      group = startGroup(columns);
      yield taken();
    }
  }
  if (group.rows > 0) await writeGroup(file, group);
  // The mark by which DuckDB knows JSON. While rows are written, the writer would take each text for a value because of it, and quote it.
  file.schema = schema.map((element) =>
    element.logical_type?.type === "JSON" ? { ...element, converted_type: "JSON" } : element,
  );
  await file.finish();
  yield taken();
}

async function* decode(
  columns: readonly ArchiveColumn[],
  content: AsyncIterable<Uint8Array>,
): AsyncIterable<readonly ArchiveRow[]> {
  await loadZstd();
  // The end of a file says where everything is.
  yield* withTemporaryFile(content, (file) => readGroups(columns, file));
}

async function* readGroups(
  columns: readonly ArchiveColumn[],
  file: AsyncBuffer,
): AsyncIterable<readonly ArchiveRow[]> {
  const kinds = columns.map(({ name, type }) => ({ name, kind: kindOf(type) }));
  const metadata = await orBroken(() => parquetMetadataAsync(file));
  refuseOther(columns, metadata, file.byteLength);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const found = await orBroken(() => parquetReadObjects({ file, metadata, rowStart, rowEnd, ...READING }));
    if (found.length !== rowEnd - rowStart)
      throw new ArchiveFileBrokenError("a group has other rows than it says");
    yield found.map((values) =>
      Object.fromEntries(kinds.map(({ name, kind }) => [name, fromParquet(kind, values[name] ?? null)])),
    );
    rowStart = rowEnd;
  }
}

/** The values of each column, of the rows of one group. */
interface Group {
  readonly columns: readonly {
    readonly name: string;
    readonly kind: ColumnKind;
    readonly isLong: boolean;
    readonly data: unknown[];
  }[];
  rows: number;
  characters: number;
}

const startGroup = (columns: readonly ArchiveColumn[]): Group => ({
  columns: columns.map(({ name, type }) => ({ name, kind: kindOf(type), isLong: isLong(type), data: [] })),
  rows: 0,
  characters: 0,
});

function addTo(group: Group, row: ArchiveRow): void {
  for (const { name, kind, isLong, data } of group.columns) {
    const value = row[name];
    if (value === undefined) throw new Error(`A row to archive has no column ${name}.`);
    data.push(value === null ? null : toParquet(kind, isLong, value));
    group.characters += value?.length ?? 0;
  }
  group.rows += 1;
}

async function writeGroup(file: ParquetWriter, group: Group): Promise<void> {
  // The bounds of documents would be whole documents. Without an index of pages the last page is followed by the end of the file.
  const columnData = group.columns.map(({ name, kind, data }) => ({
    name,
    data,
    statistics: kind !== "json",
    offsetIndex: false,
  }));
  await file.write({ columnData, rowGroupSize: group.rows });
}

const isLong = (type: string): boolean => /^(?:bigint|int8)$/i.test(type);

function elementOf({ name, type }: ArchiveColumn): SchemaElement {
  const repetition_type = "OPTIONAL";
  switch (kindOf(type)) {
    case "integer":
      return { name, type: isLong(type) ? "INT64" : "INT32", repetition_type };
    case "boolean":
      return { name, type: "BOOLEAN", repetition_type };
    case "time":
      return {
        name,
        type: "INT64",
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
        repetition_type,
      };
    case "json":
      return { name, type: "BYTE_ARRAY", logical_type: { type: "JSON" }, repetition_type };
    case "number":
    case "text":
      return {
        name,
        type: "BYTE_ARRAY",
        converted_type: "UTF8",
        logical_type: { type: "STRING" },
        repetition_type,
      };
  }
}

function toParquet(kind: ColumnKind, isLong: boolean, value: string): unknown {
  switch (kind) {
    case "boolean":
      return value === "t";
    case "time":
      return microsecondsOf(value);
    case "integer":
      return isLong ? BigInt(value) : Number(value);
    default:
      return value;
  }
}

function fromParquet(kind: ColumnKind, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (kind === "boolean") return value === true ? "t" : "f";
  if (kind === "time" && typeof value === "bigint") return textOfMicroseconds(value);
  return String(value);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && utf8.decode(bytes);
}

const READING = {
  compressors: { ZSTD: fromFrame },
  parsers: {
    stringFromBytes: textOf,
    jsonFromBytes: textOf,
    timestampFromMicroseconds: (microseconds: bigint) => microseconds,
  },
} as const;

/** Refuses a file with other columns, but for those that are newer than it, and one with anything after or between its groups. */
function refuseOther(columns: readonly ArchiveColumn[], metadata: FileMetaData, bytes: number): void {
  const names = metadata.schema.slice(1).map(({ name }) => name);
  const known = columns.filter(({ name }) => names.includes(name));
  if (names.length === 0 || names.join("\0") !== known.map(({ name }) => name).join("\0")) {
    throw new ArchiveFileBrokenError("it has other columns");
  }
  const groups = metadata.row_groups.flatMap((group) => group.columns);
  const data = groups.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_compressed_size ?? 0), 0);
  // Four characters at either end, and the length of the end.
  if (4 + data + metadata.metadata_length + 8 !== bytes)
    throw new ArchiveFileBrokenError("its length is another");
}

async function orBroken<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof ArchiveFileBrokenError) throw cause;
    throw new ArchiveFileBrokenError("it isn't a whole file of Parquet", { cause });
  }
}
