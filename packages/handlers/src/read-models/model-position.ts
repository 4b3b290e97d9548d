import type { Database } from "@synap/database";
import type { ReadModel, Writer } from "./read-model.ts";

/** The session in which positions are read: one that sees the bookkeeping, in READ COMMITTED. */
export type PositionSession = Pick<Database, "query">;

/** A read model as far as its position is concerned. */
export type WrittenModel = Pick<ReadModel, "path" | "writtenBy">;

/** The progress of a read model. */
export interface ModelPosition {
  /**
   * The position up to which later reads have everything, without the events that wait behind a dead letter or a retry. 0 before the first
   * event.
   */
  readonly position: number;
  /** The writer that is least far; undefined for a view over the log. */
  readonly writer: string | undefined;
  /** The live builds of the projections that write the read model, as text: the position is that of these. */
  readonly builds: string;
}

interface WriterPosition {
  readonly name: string;
  readonly build: number | null;
  readonly position: number;
}

const LOG: NamedWriter = { name: "", kind: "log" };

/** Reads the progress of read models, in one statement. */
export async function modelPositions<Model extends WrittenModel>(
  session: PositionSession,
  models: readonly Model[],
): Promise<Map<Model, ModelPosition>> {
  const writers = new Map(models.flatMap(writersOf).map((writer) => [writer.name, writer]));
  const rows = await session.query<WriterPosition>(
    "SELECT name, build, position FROM synap.model_positions($1::text::jsonb)",
    [JSON.stringify([...writers.values()])],
  );
  const found = new Map(rows.map((row) => [row.name, row]));
  return new Map(models.map((model) => [model, leastOf(model, found)]));
}

/** True if a projection writes rows of the read model: another build of it can become live. */
export function hasBuilds({ writtenBy }: WrittenModel): boolean {
  return writtenBy.some((writer) => kindOf(writer) === "projection");
}

function leastOf(model: WrittenModel, found: ReadonlyMap<string, WriterPosition>): ModelPosition {
  const own = writersOf(model).flatMap(({ name }) => found.get(name) ?? []);
  const [first, ...others] = own;
  if (first === undefined) throw new Error("synap.model_positions returned no row.");
  const least = others.reduce((last, each) => (each.position < last.position ? each : last), first);
  return {
    position: least.position,
    writer: least.name === LOG.name ? undefined : least.name,
    builds: own.map(({ build }) => build ?? "").join(),
  };
}

interface NamedWriter {
  readonly name: string;
  readonly kind: "projection" | "inline" | "handler" | "log";
}

function writersOf({ writtenBy }: WrittenModel): readonly NamedWriter[] {
  return writtenBy.length === 0
    ? [LOG]
    : writtenBy.map((writer) => ({ name: writer.name, kind: kindOf(writer) }));
}

function kindOf(writer: Writer): NamedWriter["kind"] {
  if ("version" in writer) return "projection";
  return writer.mode === "inline" ? "inline" : "handler";
}
