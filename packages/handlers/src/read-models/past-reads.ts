import type { Database, EventStore, SqlSession, Transaction, Visibility } from "@synap/database";
import { ownRows, RowsNotOwnedError, readerSession, sqlState } from "@synap/database/internal";
import type { z } from "zod";
import { foldPast, lastPosition, pastSuffix, rolledBack } from "../projections/as-of.ts";
import { foldKnown } from "../projections/known-fold.ts";
import { showPastRows } from "../projections/own-row-views.ts";
import type { Projection } from "../projections/projection.ts";
import { AsOfBusyError, AsOfUnavailableError } from "../projections/projection-errors.ts";
import type { AnswerAtPosition } from "./model-positions.ts";
import type { AskedPast } from "./past-moment.ts";
import type { ReadModel } from "./read-model.ts";

/** A read of a read model as it was. */
export interface PastRead<Parameters extends z.ZodObject> {
  /** The rows that the caller may read: of the past, too. */
  readonly visibility: Visibility;
  readonly parameters: z.output<Parameters>;
  /** The moment of the past: see `askedPast`. */
  readonly past: AskedPast;
  /** Size in bytes at which a response of large rows should end. */
  readonly maxBytes: number;
}

/** Reads read models as they were. Made by {@link createPastReads}. */
export interface PastReads {
  /**
   * Reads a read model as it was at a moment, or as it was known, with the position of the last event of then. Takes time in proportion
   * to the number of events; one at a time.
   *
   * @throws AsOfTooLongError; AsOfUnavailableError; AsOfBusyError; RowsNotOwnedError; VisibilityUnavailableError
   */
  read<Parameters extends z.ZodObject, Answer extends z.ZodType>(
    model: ReadModel<Parameters, Answer>,
    read: PastRead<Parameters>,
  ): Promise<AnswerAtPosition<Answer>>;
}

/** The limits of reads of the past. */
export interface PastLimits {
  /** Number of events of the log, of any type, after which a read is given up. Default: none. */
  readonly maxEvents?: number | undefined;
  /** Size of the events that are held to apply corrections, in bytes of JSON, after which a read is given up. Default: none. */
  readonly maxHeldBytes?: number | undefined;
  /** Number of batches in the order of validity above which a read is given up: each costs some milliseconds. Default: none. */
  readonly maxBatches?: number | undefined;
}

/** The parts that reads of the past need. */
export interface PastReadsParts extends PastLimits {
  readonly database: Database;
  readonly store: Pick<EventStore, "readAll">;
  /** Finds the newest version of a projection in this process, as it is run: with events that its code can read. */
  readonly newest: (name: string) => Projection | undefined;
}

/** Makes the reader of a process. */
export function createPastReads(parts: PastReadsParts): PastReads {
  const { database, store, newest, maxEvents, maxHeldBytes, maxBatches } = parts;
  let isRunning = false;
  return {
    async read(model, { visibility, parameters, maxBytes, past }) {
      const { recordedBy: moment, about, isKnown } = past;
      const bounds = { maxBytes, asOf: about };
      if (model.readPast !== undefined) {
        if (isKnown) throw new AsOfUnavailableError(model.path, AS_STORED);
        const position = await settledPosition(database, moment);
        const session = ownRows(database, visibility);
        const answer = await model.readPast(session, parameters, { ...bounds, position, maxEvents });
        return { answer, position };
      }
      const writers = writersOf(model, newest);
      // Before the database is asked for anything: the embedded engine would answer after the read that is under way.
      if (isRunning) throw new AsOfBusyError();
      isRunning = true;
      try {
        const position = await settledPosition(database, moment);
        const answer = await rolledBack(database, async (transaction) => {
          const shown = new Map<string, string>();
          for (const projection of writers) {
            const suffix = pastSuffix();
            const fold = { projection, store, position, moment, suffix, maxEvents };
            const known = { ...fold, validAt: about, maxBytes: maxHeldBytes, maxBatches };
            if (isKnown) await foldKnown(transaction, known);
            else await foldPast(transaction, fold);
            await show(transaction, projection, suffix, visibility, shown);
          }
          const rename = (text: string) => withPastTables(text, shown);
          const session = await readerSession(database, transaction, visibility, rename);
          return model.read(session, parameters, bounds).catch((error: unknown) => {
            throw unavailable(model, error);
          });
        });
        return { answer, position };
      } finally {
        isRunning = false;
      }
    },
  };
}

const AS_STORED = "it shows events as they were stored, with no correction applied; ask for it with asOf";

/** The position of the last event that was stored, by a moment if one is given, and can't be preceded by an unfinished append any more. */
async function settledPosition(session: SqlSession, moment: Date | undefined): Promise<number> {
  const [row] = await session.query<{ watermark: number }>(
    "SELECT synap.append_watermark() * 1024 + 1023 AS watermark",
  );
  return Math.min(await lastPosition(session, moment), row?.watermark ?? 0);
}

/** @throws AsOfUnavailableError when something else than projections writes the read model */
function writersOf(
  { path, writtenBy }: Pick<ReadModel, "path" | "writtenBy">,
  newest: PastReadsParts["newest"],
): Projection[] {
  if (writtenBy.length === 0) {
    throw new AsOfUnavailableError(path, "it reads no projection, and its definition has no readPast");
  }
  return writtenBy.map(({ name, ...writer }) => {
    const projection = "version" in writer ? newest(name) : undefined;
    if (projection !== undefined) return projection;
    throw new AsOfUnavailableError(path, `"${name}" writes its rows, which is no projection of this process`);
  });
}

async function show(
  transaction: Transaction,
  projection: Projection,
  suffix: string,
  visibility: Visibility,
  shown: Map<string, string>,
): Promise<void> {
  const by = "all" in visibility ? "all" : "userId" in visibility ? "userId" : "createdBy";
  for (const table of projection.tables) {
    const view = await showPastRows(transaction, { table, suffix, by });
    if (view !== undefined) shown.set(table.name, view);
    else if (by !== "all") throw new RowsNotOwnedError(by, undefined);
  }
}

/** A table of a read model in a statement: in drizzle's it is quoted. */
const TABLE = /(?<!\w)("?)synap_read\1\s*\.\s*("?)([a-z0-9_]+)\2(?!\w)/g;

/** Names the past tables in a statement. What it reads besides stays, and the reader has no right on it. */
function withPastTables(text: string, shown: ReadonlyMap<string, string>): string {
  return text.replaceAll(TABLE, (found, _quote, _other, name: string) => shown.get(name) ?? found);
}

/** SQLSTATEs of a missing right, and of a table that the statement does not have. */
const READS_MORE: ReadonlySet<string> = new Set(["42501", "42P01"]);

function unavailable({ path }: Pick<ReadModel, "path">, error: unknown): unknown {
  if (!READS_MORE.has(sqlState(error) ?? "")) return error;
  const reason = "it reads more than the tables of its projections, or names one of them without synap_read";
  return new AsOfUnavailableError(path, reason, { cause: error });
}
