import { setTimeout as sleep } from "node:timers/promises";
import {
  type Database,
  type EventStore,
  OptimisticLockError,
  type StreamAppendResult,
  type Transaction,
} from "@synap/database";
import { isConflict } from "@synap/database/internal";
import type { StreamName } from "@synap/types";
import type { Random } from "./random.ts";
import { nameOf } from "./reader-journal.ts";
import type { NumberedEvent } from "./stress-events.ts";
import type { WriterJournal, WrittenEvent } from "./writer-journal.ts";

export interface WriterWork {
  readonly number: number;
  readonly database: Database;
  readonly store: EventStore;
  readonly journal: WriterJournal;
  readonly random: Random;
  readonly longPauseMs: number;
  /** Aborted when it is time to end. */
  readonly stop: AbortSignal;
  readonly onAppended: (events: number) => void;
  readonly onRefused: () => void;
}

/** Rolls back a transaction or a savepoint on purpose. */
export class ChangedMind extends Error {
  override readonly name = "ChangedMind";
}

/** The dependencies of every move: appending, and recording the outcome. */
export class Writer {
  readonly number: number;
  readonly database: Database;
  readonly store: EventStore;
  readonly random: Random;
  readonly stop: AbortSignal;
  readonly #work: WriterWork;

  constructor(work: WriterWork) {
    this.#work = work;
    this.number = work.number;
    this.database = work.database;
    this.store = work.store;
    this.random = work.random;
    this.stop = work.stop;
  }

  /** A short wait between two steps, mostly none; for a long one, the longest that the run allows. */
  async pause(kind: "short" | "long" = "short"): Promise<void> {
    const most = kind === "long" ? this.#work.longPauseMs : Math.min(20, this.#work.longPauseMs);
    if (kind === "long") await sleep(most * (0.2 + 0.8 * this.random.next()));
    else if (this.random.happens(0.5)) await sleep(this.random.pause(most));
  }

  /** Runs an attempt and records a definite outcome: these events are stored, or never will be. */
  async attempt(events: readonly NumberedEvent[], run: () => Promise<WrittenEvent[]>): Promise<boolean> {
    try {
      this.acknowledge(await run());
      return true;
    } catch (error) {
      this.refuse(error);
      this.undo(events.map(({ id }) => id));
      return false;
    }
  }

  acknowledge(written: readonly WrittenEvent[]): void {
    if (written.length === 0) return;
    this.#work.journal.write({ acknowledged: [...written] });
    this.#work.onAppended(written.length);
  }

  undo(ids: readonly string[]): void {
    if (ids.length > 0) this.#work.journal.write({ undone: [...ids] });
  }

  note(ended: "rolledBack" | "savepointsUndone" | "sentAgain"): void {
    this.#work.journal.write({ ended });
  }

  answeredDifferently(what: string): void {
    this.#work.journal.write({ answeredDifferently: what });
  }

  /** Records an error after which certainly nothing is stored. @throws any other */
  refuse(error: unknown): void {
    if (error instanceof OptimisticLockError) {
      this.#work.journal.write({ ended: "refused" });
      this.#work.onRefused();
    } else if (error instanceof ChangedMind) this.#work.journal.write({ ended: "rolledBack" });
    else if (isConflict(error)) this.#work.journal.write({ ended: "deadlocks" });
    else throw error;
  }

  /** Appends at any version of the stream. */
  async appendAny(
    stream: StreamName,
    events: readonly NumberedEvent[],
    transaction?: Transaction,
  ): Promise<WrittenEvent[]> {
    return written([await this.store.appendToStream(stream, "any", events, { transaction })], events);
  }
}

/** Converts the result of an append to a journal entry. */
export function written(
  results: readonly StreamAppendResult[],
  sent: readonly NumberedEvent[],
): WrittenEvent[] {
  const types = new Map(sent.map(({ id, type }) => [id, type]));
  return results.flatMap(({ stream, events }) =>
    events.map(({ id, position, streamVersion }) => ({
      id,
      position,
      type: types.get(id) ?? "",
      stream: nameOf(stream),
      version: streamVersion,
    })),
  );
}
