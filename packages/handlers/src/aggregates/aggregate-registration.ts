import type { Decider } from "./decider.ts";

/** A decider, and where it is found over HTTP. */
export interface AggregateRegistration {
  readonly decider: Decider;
  /** Its commands are at `/api/v1/{path}/{id}/{command}`: the plural, one segment. */
  readonly path: string;
}
