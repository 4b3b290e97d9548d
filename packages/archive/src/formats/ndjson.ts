import {
  type ArchiveColumn,
  ArchiveFileBrokenError,
  type ArchiveFormat,
  type ArchiveRow,
} from "../archive-format.ts";
import { type ColumnKind, kindOf } from "./column-kind.ts";
import { endOfValue } from "./json-value.ts";
import { framesOf, fromFrame, loadZstd, toFrame } from "./zstd.ts";

/** Text of one frame: enough for a good ratio. A frame is compressed and decompressed as a whole. */
const FRAME_CHARACTERS = 1024 * 1024;

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const POSTGRES_TIME = /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;
const RFC_TIME = /^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;

/**
 * A JSON object for each row, one a line, compressed with zstd. `zstdcat` and `jq` read it. A column that is NULL is left out, because null is
 * a value of jsonb; jsonb and numbers have PostgreSQL's own digits, and times are those of RFC 3339.
 */
export const ndjson: ArchiveFormat = { name: "ndjson.zst", extension: "ndjson.zst", encode, decode };

interface Field {
  readonly name: string;
  readonly kind: ColumnKind;
  /** The name as it is written, with the colon. */
  readonly key: string;
}

const fieldsOf = (columns: readonly ArchiveColumn[]): readonly Field[] =>
  columns.map(({ name, type }) => ({ name, kind: kindOf(type), key: `${JSON.stringify(name)}:` }));

async function* encode(
  columns: readonly ArchiveColumn[],
  batches: AsyncIterable<readonly ArchiveRow[]>,
): AsyncIterable<Uint8Array> {
  await loadZstd();
  const fields = fieldsOf(columns);
  let lines: string[] = [];
  let characters = 0;
  for await (const rows of batches) {
    for (const row of rows) {
      const line = lineOf(fields, row);
      lines.push(line);
      characters += line.length;
      if (characters < FRAME_CHARACTERS) continue;
      yield toFrame(Buffer.from(lines.join("")));
      lines = [];
      characters = 0;
    }
  }
  // A file without rows is a frame without bytes, not a file without bytes, which a lost end would look like.
  if (characters > 0) yield toFrame(Buffer.from(lines.join("")));
  yield toFrame(new Uint8Array());
}

async function* decode(
  columns: readonly ArchiveColumn[],
  content: AsyncIterable<Uint8Array>,
): AsyncIterable<readonly ArchiveRow[]> {
  await loadZstd();
  const fields = fieldsOf(columns);
  let isWhole = false;
  for await (const frame of framesOf(content)) {
    if (isWhole) throw new ArchiveFileBrokenError("it goes on after its end");
    const bytes = fromFrame(frame);
    isWhole = bytes.length === 0;
    if (!isWhole) yield rowsOf(fields, bytes);
  }
  if (!isWhole) throw new ArchiveFileBrokenError("its end is missing");
}

function lineOf(fields: readonly Field[], row: ArchiveRow): string {
  let line = "{";
  for (const { name, kind, key } of fields) {
    const value = row[name];
    if (value === undefined) throw new Error(`A row to archive has no column ${name}.`);
    if (value === null) continue;
    line += `${line === "{" ? "" : ","}${key}${toJson(kind, value)}`;
  }
  return `${line}}\n`;
}

function toJson(kind: ColumnKind, value: string): string {
  switch (kind) {
    case "json":
      return value;
    case "integer":
    case "number":
      // NaN and Infinity have no number in JSON.
      return JSON_NUMBER.test(value) ? value : JSON.stringify(value);
    case "boolean":
      return value === "t" ? "true" : "false";
    case "time":
      // What has no such form (infinity, years before Christ) keeps PostgreSQL's.
      return JSON.stringify(POSTGRES_TIME.test(value) ? `${value.slice(0, -3).replace(" ", "T")}Z` : value);
    case "text":
      return JSON.stringify(value);
  }
}

function fromJson(kind: ColumnKind, json: string): string {
  if (kind === "json") return json;
  if (kind === "boolean") return json === "true" ? "t" : "f";
  if (!json.startsWith('"')) return json;
  const text: unknown = JSON.parse(json);
  if (typeof text !== "string") throw new ArchiveFileBrokenError("a value isn't text");
  return kind === "time" && RFC_TIME.test(text) ? `${text.slice(0, -1).replace("T", " ")}+00` : text;
}

function rowsOf(fields: readonly Field[], bytes: Uint8Array): readonly ArchiveRow[] {
  try {
    const lines = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).split("\n");
    if (lines.pop() !== "") throw new ArchiveFileBrokenError("a line has no end");
    return lines.map((line) => rowOf(fields, line));
  } catch (cause) {
    if (cause instanceof ArchiveFileBrokenError) throw cause;
    throw new ArchiveFileBrokenError("a line isn't JSON in UTF-8", { cause });
  }
}

/** Values are cut out as they are written: parsed, numbers of many digits would lose some. */
function rowOf(fields: readonly Field[], line: string): ArchiveRow {
  const row: Record<string, string | null> = {};
  let at = 1;
  for (const { name, kind, key } of fields) {
    const from = at + (at > 1 && line[at] === "," ? 1 : 0);
    if (!line.startsWith(key, from)) {
      row[name] = null;
      continue;
    }
    const start = from + key.length;
    at = endOfValue(line, start);
    row[name] = fromJson(kind, line.slice(start, at));
  }
  if (line[0] !== "{" || line.slice(at) !== "}") throw new ArchiveFileBrokenError("a line has other columns");
  return row;
}
