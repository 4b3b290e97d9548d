import type { Decider } from "./aggregates/decider.ts";
import { reservationDecider } from "./reservations/reservation-decider.ts";

/** A decider, and where it is found over HTTP. */
export interface AggregateRegistration {
  readonly decider: Decider;
  /** Its commands are at `/api/v1/{path}/{id}/{command}`: the plural, one segment. */
  readonly path: string;
}

/** The aggregates that come with Synap. */
export const builtInAggregates: readonly AggregateRegistration[] = [
  { decider: reservationDecider, path: "reservations" },
];
