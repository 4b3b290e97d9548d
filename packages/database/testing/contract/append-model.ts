import type { SynapEvent } from "@synap/types";
import type { expect } from "vitest";
import type { AppendOutcome } from "../../src/index.ts";

/** Computes the expected outcomes of appends, one event at a time. */
export class AppendModel {
  readonly ids: string[] = [];
  readonly versions: number[] = [];
  readonly streams = new Map<string, number>();
  readonly #byId = new Map<string, AppendOutcome>();
  readonly #byKey = new Map<string, AppendOutcome>();

  append(events: readonly SynapEvent[], match: typeof expect): unknown[] {
    return events.map((event) => {
      const key = event.idempotencyKey;
      const first = this.#byId.get(event.id) ?? (key === undefined ? undefined : this.#byKey.get(key));
      if (first !== undefined) return match.objectContaining({ ...first, status: "duplicate" });
      const streamVersion = (this.streams.get(event.aggregateId) ?? 0) + 1;
      this.streams.set(event.aggregateId, streamVersion);
      this.ids.push(event.id);
      this.versions.push(streamVersion);
      const outcome = { status: "stored", id: event.id, position: match.any(Number), streamVersion } as const;
      this.#byId.set(event.id, outcome);
      if (key !== undefined) this.#byKey.set(key, outcome);
      return outcome;
    });
  }
}
