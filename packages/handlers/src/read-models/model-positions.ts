import type { Database } from "@synap/database";
import type { z } from "zod";
import type { JsonSource, ReadModel, ReadSession, ResponseBounds, Writer } from "./read-model.ts";

/** The session in which positions are read: one that sees the bookkeeping, in READ COMMITTED. */
export type PositionSession = Pick<Database, "query">;

/** The progress of a read model. */
interface ModelPosition {
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

/** An answer of a read model, and the position up to which it has everything. */
export interface AnswerAtPosition<Answer extends z.ZodType> {
  readonly answer: JsonSource<z.input<Answer>>;
  readonly position: number;
}

/** A read of a read model. */
export interface ModelRead<Parameters extends z.ZodObject> extends ResponseBounds {
  /** The session that reads the rows: one that shows what the caller may see. */
  readonly session: ReadSession;
  readonly parameters: z.output<Parameters>;
}

interface WriterPosition {
  readonly name: string;
  readonly build: number | null;
  readonly position: number;
}

const LOG = { name: "the log", kind: "log" };
/** Attempts at a read between which another build became live each time. One is rare. */
const MAX_ATTEMPTS = 3;

/** Reads read models together with their positions. Made by {@link createModelPositions}. */
export interface ModelPositions {
  /**
   * Reads a read model, and the position up to which the answer has everything. The position is read before the rows, which only gain
   * events from then on. If another build has become live meanwhile, both are read again: it need not have handled what the other one had.
   */
  read<Parameters extends z.ZodObject, Answer extends z.ZodType>(
    model: ReadModel<Parameters, Answer>,
    read: ModelRead<Parameters>,
  ): Promise<AnswerAtPosition<Answer>>;
}

/** Makes the reader of a process. */
export function createModelPositions(positions: PositionSession): ModelPositions {
  return {
    async read(model, { session, parameters, maxBytes }) {
      const hasBuilds = model.writtenBy.some((writer) => kindOf(writer) === "projection");
      for (let attempt = 1; ; attempt += 1) {
        const { position, builds } = await modelPosition(positions, model);
        const answer = await model.read(session, parameters, { maxBytes });
        if (!hasBuilds || builds === (await modelPosition(positions, model)).builds)
          return { answer, position };
        // Nothing is claimed of an answer that may be of several builds.
        if (attempt === MAX_ATTEMPTS) return { answer, position: 0 };
      }
    },
  };
}

/** Reads how far a read model has come. */
async function modelPosition(
  session: PositionSession,
  { writtenBy }: Pick<ReadModel, "writtenBy">,
): Promise<ModelPosition> {
  const writers =
    writtenBy.length === 0 ? [LOG] : writtenBy.map((each) => ({ name: each.name, kind: kindOf(each) }));
  const found = await session.query<WriterPosition>(
    "SELECT name, build, position FROM synap.model_positions($1::text::jsonb)",
    [JSON.stringify(writers)],
  );
  const [first, ...others] = found;
  if (first === undefined) throw new Error("synap.model_positions returned no row.");
  const last = others.reduce((least, each) => (each.position < least.position ? each : least), first);
  return {
    position: last.position,
    writer: writtenBy.length === 0 ? undefined : last.name,
    builds: found.map(({ build }) => build ?? "").join(),
  };
}

function kindOf(writer: Writer): "projection" | "inline" | "handler" {
  if ("version" in writer) return "projection";
  return writer.mode === "inline" ? "inline" : "handler";
}
