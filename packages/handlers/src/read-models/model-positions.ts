import type { z } from "zod";
import { hasBuilds, modelPositions, type PositionSession, type WrittenModel } from "./model-position.ts";
import { createPositionWatch, type PositionWatch } from "./position-watch.ts";
import type { JsonSource, ReadModel, ReadSession, ResponseBounds } from "./read-model.ts";

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

/** Reads read models together with their positions, and waits for those. Made by {@link createModelPositions}. */
export interface ModelPositions extends PositionWatch {
  /**
   * Reads a read model, and the position up to which the answer has everything. The position is read before the rows, which only gain
   * events from then on. If another build has become live meanwhile, both are read again: it need not have handled what the other one had.
   */
  read<Parameters extends z.ZodObject, Answer extends z.ZodType>(
    model: ReadModel<Parameters, Answer>,
    read: ModelRead<Parameters>,
  ): Promise<AnswerAtPosition<Answer>>;
}

/** Attempts at a read between which another build became live each time. One is rare. */
const MAX_ATTEMPTS = 3;
/** Requests that wait cost some kilobytes each. */
const MAX_WAITING = 1_000;

/** Makes the reader of a process. At most `maxWaiting` waits for positions at a time, default 1,000. */
export function createModelPositions(
  positions: PositionSession,
  { maxWaiting = MAX_WAITING }: { readonly maxWaiting?: number } = {},
): ModelPositions {
  const positionOf = async (model: WrittenModel) => {
    const found = (await modelPositions(positions, [model])).get(model);
    if (found === undefined) throw new Error(`The read model "${model.path}" has no position.`);
    return found;
  };
  return {
    ...createPositionWatch({ look: (models) => modelPositions(positions, models), maxWaiting }),
    async read(model, { session, parameters, maxBytes }) {
      for (let attempt = 1; ; attempt += 1) {
        const { position, builds } = await positionOf(model);
        const answer = await model.read(session, parameters, { maxBytes });
        if (!hasBuilds(model) || builds === (await positionOf(model)).builds) return { answer, position };
        // Nothing is claimed of an answer that may be of several builds.
        if (attempt === MAX_ATTEMPTS) return { answer, position: 0 };
      }
    },
  };
}
