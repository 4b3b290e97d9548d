import type { EventCatalogue, StreamName } from "@synap/types";
import { didYouMean } from "@synap/types/internal";
import { Problem } from "./problem.ts";

/** The problem of a stream without events. */
export function streamNotFound(
  { aggregateType, aggregateId }: StreamName,
  { types }: EventCatalogue,
): Problem {
  const known = new Set(types.map((type) => type.aggregateType));
  const meant = known.has(aggregateType) ? "" : didYouMean(aggregateType, known);
  return new Problem(
    "stream-not-found",
    `There is no stream ${JSON.stringify(aggregateId)} of aggregate type ${JSON.stringify(aggregateType)}${meant}.`,
  );
}
