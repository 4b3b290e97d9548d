import type { SqlSession } from "@synap/database";
import { notify } from "@synap/database/internal";
import type { JsonObject, StreamName } from "@synap/types";
import { deepFreeze } from "@synap/types/internal";
import { SnapshotSkippedError } from "./aggregate-errors.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";
import { deciderFingerprint } from "./fingerprint.ts";
import type { AggregateState } from "./fold.ts";
import { checksumOf, type SnapshotStore } from "./snapshots.ts";
import { writeState } from "./state-text.ts";

/** The snapshot store and the interval at which snapshots are taken. */
export interface SnapshotPolicy {
  readonly store: SnapshotStore;
  /** Number of events folded since the last snapshot after which another is taken. Default 100. */
  readonly every?: number | undefined;
  /**
   * Called with the error when a snapshot can't be read or written, and with the aggregate type's first
   * {@link SnapshotSkippedError}. The aggregate is folded from its events in either case.
   */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** Reads and takes the snapshots of one type of aggregate. Never throws: a bad snapshot only costs time. */
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

  /** Number of snapshots skipped because the state would not survive the round trip through JSON. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Reads the stored state if this code made it and it is intact. The caller must still compare its event with the stream's. */
  async read(stream: StreamName, session?: SqlSession): Promise<AggregateState<State> | undefined> {
    try {
      const snapshot = await this.#policy.store.read(stream, session);
      if (snapshot === undefined || snapshot.fingerprint !== this.#fingerprint) return undefined;
      if (snapshot.checksum !== checksumOf({ ...snapshot, stream })) return undefined;
      // A schema may modify its input or return an incomplete copy, so it gets a copy of its own.
      const state: State = JSON.parse(snapshot.state);
      if (!this.#state.safeParse(JSON.parse(snapshot.state)).success) return undefined;
      return { state: deepFreeze(state), version: snapshot.version, eventId: snapshot.eventId };
    } catch (error) {
      notify(this.#policy.onFailure, error);
      return undefined;
    }
  }

  /** Takes a snapshot if enough events were folded since `before`. */
  async keep(stream: StreamName, before: number, now: AggregateState<State>): Promise<void> {
    const { state, version, eventId } = now;
    if (eventId === undefined || version - before < (this.#policy.every ?? 100)) return;
    const fingerprint = this.#fingerprint;
    try {
      const text = writeState(state);
      if (text === undefined)
        return this.#skip(stream, "its state would not survive the round trip through JSON");
      if (!this.#state.safeParse(JSON.parse(text)).success) {
        return this.#skip(stream, "its state does not satisfy the schema of the state");
      }
      const content = { stream, version, eventId, fingerprint, state: text };
      await this.#policy.store.write({ ...content, checksum: checksumOf(content) });
    } catch (error) {
      notify(this.#policy.onFailure, error);
    }
  }

  /** Reports the first only: a decider that produces one such state produces many. */
  #skip(stream: StreamName, reason: string): void {
    this.#skipped += 1;
    if (this.#skipped === 1) notify(this.#policy.onFailure, new SnapshotSkippedError(stream, reason));
  }
}
