/**
 * What became of one event. `accepted`: the broker has it. `too-large`: it fits into no envelope. `unavailable`: the
 * broker did not confirm it in time; it may have it all the same, which sending the event again with its id or
 * idempotency key makes harmless.
 */
export type PublishOutcome = "accepted" | "too-large" | "unavailable";

/** One call of `publish`: what is known so far. */
export interface PublishRequest {
  readonly outcomes: (PublishOutcome | undefined)[];
  open: number;
  readonly settle: () => void;
}

/** Notes what became of one event of a request, unless that is known already. The last one settles the request. */
export function conclude(request: PublishRequest, index: number, outcome: PublishOutcome): void {
  if (request.outcomes[index] !== undefined) return;
  request.outcomes[index] = outcome;
  request.open -= 1;
  if (request.open === 0) request.settle();
}
