import { z } from "zod";

/** Comparison of the answers with the broker's content. */
export interface IdTally {
  readonly accepted: number;
  /** Answered `accepted`, and never sent to the broker. */
  readonly lost: number;
  /** Sent to the broker more than once. */
  readonly twice: number;
  readonly envelopes: number;
  readonly received: number;
}

const receivedSchema = z.object({ envelopes: z.number(), ids: z.array(z.string()) });
const ACCEPTED = /"status":"accepted","id":"([^"]+)"/g;

/** Counts the ids that the responses call accepted, in single answers and in batches. */
export function tallyIds(responses: readonly string[], received: unknown): IdTally {
  const { envelopes, ids } = receivedSchema.parse(received);
  const known = new Set(ids);
  let accepted = 0;
  let lost = 0;
  for (const response of responses) {
    for (const [, id = ""] of response.matchAll(ACCEPTED)) {
      accepted += 1;
      if (!known.has(id)) lost += 1;
    }
  }
  return { accepted, lost, twice: ids.length - known.size, envelopes, received: ids.length };
}
