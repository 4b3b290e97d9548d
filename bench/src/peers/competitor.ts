import type { SynapEvent } from "@synap/types";

/** A measured event store, on a database that nothing else uses. */
export interface Competitor {
  /** Stable over time: it is part of the figures' ids. */
  readonly id: "synap" | "emmett" | "acuris" | "dcb";
  /** As its own documentation calls it. */
  readonly name: string;
  /** Appends events that all name the same stream to that stream, in one call, without an expected version. */
  append(events: readonly SynapEvent[]): Promise<void>;
  /**
   * Reads the whole stream that an event names. When this resolves, the store has delivered every event; the response
   * then names them by id, in the order in which they came, outside of what is timed.
   */
  read(example: SynapEvent): Promise<() => string[]>;
  /** The ids of all events that are in its table, in no order. */
  storedIds(): Promise<string[]>;
  /** Closes its connections and removes its database. */
  remove(): Promise<void>;
}
