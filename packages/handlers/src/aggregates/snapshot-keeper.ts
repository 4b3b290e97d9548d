import type { SqlSession, StreamName } from "@synap/database";
import { notify } from "@synap/database/internal";
import type { JsonObject } from "@synap/types";
import { SnapshotSkippedError } from "./aggregate-errors.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";
import { deciderFingerprint } from "./fingerprint.ts";
import type { AggregateState } from "./fold.ts";
import { checksumOf, type SnapshotStore } from "./snapshots.ts";
import { writeState } from "./state-text.ts";

/** Snapshots, and when to take them. */
export interface SnapshotPolicy {
  readonly store: SnapshotStore;
  /** Take one when so many events have been folded since the last. Default 100. */
  readonly every?: number | undefined;
  /**
   * Is given why a snapshot could not be read or written, and the first {@link SnapshotSkippedError} of the aggregate type.
   * The aggregate is folded from its events all the same.
   */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** Reads and takes the snapshots of one kind of aggregate. Never fails: what is wrong with a snapshot costs time only. */
export class SnapshotKeeper<State extends JsonObject> {
  readonly #policy: SnapshotPolicy;
  readonly #state: Decider<State>["state"];
  readonly #fingerprint: string;
  #skipped = 0;

  constructor(decider: Decider<State, AggregateCommand, DecidedEvent>, policy: SnapshotPolicy) {
    this.#policy = policy;
    this.#state = decider.state;
    this.#fingerprint = deciderFingerprint(decider);
  }

  /** How many snapshots were not taken because what is read back would differ from the state. */
  get skipped(): number {
    return this.#skipped;
  }

  /** The state that was kept, if this code made it and it is whole. Its event must still be compared with the stream's. */
  async read(stream: StreamName, session?: SqlSession): Promise<AggregateState<State> | undefined> {
    try {
      const snapshot = await this.#policy.store.read(stream, session);
      if (snapshot === undefined || snapshot.fingerprint !== this.#fingerprint) return undefined;
      if (snapshot.checksum !== checksumOf({ ...snapshot, stream })) return undefined;
      // A schema may change what it checks and give out a copy that lacks something, so it is given another one.
      const state: State = JSON.parse(snapshot.state);
      if (!this.#state.safeParse(JSON.parse(snapshot.state)).success) return undefined;
      return { state, version: snapshot.version, eventId: snapshot.eventId };
    } catch (error) {
      notify(this.#policy.onFailure, error);
      return undefined;
    }
  }

  /** Keeps the state, when enough has happened since `before`. */
  async keep(stream: StreamName, before: number, now: AggregateState<State>): Promise<void> {
    const { state, version, eventId } = now;
    if (eventId === undefined || version - before < (this.#policy.every ?? 100)) return;
    const fingerprint = this.#fingerprint;
    try {
      const text = writeState(state);
      if (text === undefined)
        return this.#skip(stream, "its state is not what its JSON text would be read as");
      if (!this.#state.safeParse(JSON.parse(text)).success) {
        return this.#skip(stream, "its state does not satisfy the schema of the state");
      }
      const content = { stream, version, eventId, fingerprint, state: text };
      await this.#policy.store.write({ ...content, checksum: checksumOf(content) });
    } catch (error) {
      notify(this.#policy.onFailure, error);
    }
  }

  /** Reports the first only: what evolves one such state evolves many. */
  #skip(stream: StreamName, reason: string): void {
    this.#skipped += 1;
    if (this.#skipped === 1) notify(this.#policy.onFailure, new SnapshotSkippedError(stream, reason));
  }
}
