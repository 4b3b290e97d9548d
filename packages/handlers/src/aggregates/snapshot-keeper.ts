import type { SqlSession, StreamName } from "@synap/database";
import type { JsonObject } from "@synap/types";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";
import { deciderFingerprint } from "./fingerprint.ts";
import type { AggregateState } from "./fold.ts";
import { checksumOf, type SnapshotStore } from "./snapshots.ts";

/** Snapshots, and when to take them. */
export interface SnapshotPolicy {
  readonly store: SnapshotStore;
  /** Take one when so many events have been folded since the last. Default 100. */
  readonly every?: number | undefined;
  /** Told when a snapshot could not be read or written: the aggregate is folded from its events all the same. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** Reads and takes the snapshots of one kind of aggregate. Never fails: what is wrong with a snapshot costs time only. */
export class SnapshotKeeper<State extends JsonObject> {
  readonly #policy: SnapshotPolicy;
  readonly #state: Decider<State>["state"];
  readonly #fingerprint: string;

  constructor(decider: Decider<State, AggregateCommand, DecidedEvent>, policy: SnapshotPolicy) {
    this.#policy = policy;
    this.#state = decider.state;
    this.#fingerprint = deciderFingerprint(decider);
  }

  /** The state that was kept, if this code made it and it is whole. Its event must still be compared with the stream's. */
  async read(stream: StreamName, session?: SqlSession): Promise<AggregateState<State> | undefined> {
    try {
      const snapshot = await this.#policy.store.read(stream, session);
      if (snapshot === undefined || snapshot.fingerprint !== this.#fingerprint) return undefined;
      if (snapshot.checksum !== checksumOf({ ...snapshot, stream })) return undefined;
      const parsed = this.#state.safeParse(JSON.parse(snapshot.state));
      if (!parsed.success) return undefined;
      return { state: parsed.data, version: snapshot.version, eventId: snapshot.eventId };
    } catch (error) {
      this.#policy.onFailure?.(error);
      return undefined;
    }
  }

  /** Keeps the state, when enough has happened since `before`. */
  async keep(stream: StreamName, before: number, now: AggregateState<State>): Promise<void> {
    const { state, version, eventId } = now;
    if (eventId === undefined || version - before < (this.#policy.every ?? 100)) return;
    const fingerprint = this.#fingerprint;
    const content = { stream, version, eventId, fingerprint, state: JSON.stringify(state) };
    try {
      await this.#policy.store.write({ ...content, checksum: checksumOf(content) });
    } catch (error) {
      this.#policy.onFailure?.(error);
    }
  }
}
