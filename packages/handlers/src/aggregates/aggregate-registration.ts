import type { Decider } from "./decider.ts";

/** A decider and its path in the HTTP API. */
export interface AggregateRegistration {
  readonly decider: Decider;
  /** Its commands are at `/api/v1/{path}/{id}/{command}`: the plural, one segment. */
  readonly path: string;
}
