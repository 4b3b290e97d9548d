import type {
  Database,
  DeadLetter,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterStatus,
  EventStore,
} from "@synap/database";
import { pageDeadLetters } from "@synap/database/internal";
import type { EventCatalogue, StoredEvent, StreamName } from "@synap/types";
import { handleAlone } from "../dispatch/handle-isolated.ts";
import { releasedStreams, releaseStream } from "../dispatch/held-streams.ts";
import { type DeadLetterTarget, releaseChunk } from "../dispatch/release-chunk.ts";

import { describeFailure, isTransientFailure } from "../handler/handler-errors.ts";
import { INGEST_HANDLER } from "../ingest/accepted-events.ts";
import {
  deadLettersOfKnownVersions,
  deadLettersStoredMeanwhile,
  retryAcceptedDeadLetter,
} from "./accepted-dead-letters.ts";
import {
  DeadLetterNotFoundError,
  DeadLetterNotRetryableError,
  DeadLetterResolvedError,
} from "./dead-letter-errors.ts";
import { leaveToSink } from "./leave-to-sink.ts";
import { type DeadLetterOutcome, lockOpen, noteFailure } from "./open-dead-letter.ts";

/** Selects the open dead letters to retry. */
export interface RetryFilter {
  readonly handler?: string | undefined;
  readonly code?: string | undefined;
  /** Only dead letters with a higher id: `next` of the previous call. */
  readonly after?: number | undefined;
  /** Default 100. */
  readonly limit?: number | undefined;
}

/** The outcome of a bulk retry. */
export interface RetriedDeadLetters {
  /** One outcome for each dead letter, in the order of their ids. */
  readonly outcomes: readonly DeadLetterOutcome[];
  /** The id of the last dead letter of this call, when more may follow. */
  readonly next?: number;
  /** The transient failure that ended the call early. The dead letters after the last outcome are unchanged. */
  readonly stopped?: { readonly id: number; readonly code: string; readonly reason: string };
}

/** Maximum number of parked events that one call handles itself; the worker handles the rest. */
const MAX_RELEASED = 10_000;

interface DeadLetterRow {
  readonly handler: string;
  readonly status: DeadLetterStatus;
  readonly position: number | null;
  readonly event: StoredEvent;
}

const RESOLVE = `
UPDATE synap.dead_letters
   SET status = $2, resolved_at = now(), resolved_by = $3, resolution = $4, attempts = attempts + $5
 WHERE id = $1`;

const OPEN_DEAD_LETTERS = `
SELECT id FROM synap.dead_letters
 WHERE status = 'open' AND ($1::text IS NULL OR handler = $1) AND ($2::text IS NULL OR code = $2) AND id > $3
 ORDER BY id LIMIT $4`;

/** Lists, retries and skips dead letters. Each step is safe while any number of workers run. */
export class EngineDeadLetters {
  readonly #database: Database;
  readonly #target: (handler: string) => DeadLetterTarget | undefined;
  readonly #store: Pick<EventStore, "appendBatch">;
  readonly #catalogue: Pick<EventCatalogue, "has" | "isNewer">;
  readonly #isSink: (handler: string) => boolean;

  /**
   * @param store appends accepted events that were refused before
   * @param isSink true for the name of a sink, whose runner alone calls the destination
   */
  constructor(
    database: Database,
    target: (handler: string) => DeadLetterTarget | undefined,
    store: Pick<EventStore, "appendBatch">,
    catalogue: Pick<EventCatalogue, "has" | "isNewer">,
    isSink: (handler: string) => boolean = () => false,
  ) {
    this.#database = database;
    this.#target = target;
    this.#store = store;
    this.#catalogue = catalogue;
    this.#isSink = isSink;
  }

  /**
   * Lists dead letters, newest first, each with the number of events that wait behind it. 100 unless `limit` is given,
   * and fewer when they are large: use `page` to learn whether there are more.
   */
  async list(filter: DeadLetterFilter = {}): Promise<readonly DeadLetter[]> {
    return (await this.page(filter)).deadLetters;
  }

  /** Reads one page of dead letters, newest first, and whether there are more. */
  page(filter: DeadLetterFilter = {}): Promise<DeadLetterPage> {
    return pageDeadLetters(this.#database, filter);
  }

  /**
   * Handles the event again. If that succeeds, the events of its stream that waited behind it follow in order, up to
   * 10,000 in this call, 200 a transaction; otherwise the dead letter stays open with the new reason. The event of an
   * `ingest-events` dead letter, which is not stored yet, is validated again and appended. That of a sink is left to the process that runs
   * the sink: it is open again if it fails there.
   *
   * @param by the actor, stored with the dead letter, as is the reason of a handler's dead letter that is resolved
   * @throws DeadLetterNotFoundError, DeadLetterResolvedError, DeadLetterNotRetryableError
   * @throws a transient failure, unwrapped; the dead letter is unchanged
   */
  async retry(
    id: number,
    { by, reason }: { readonly by: string; readonly reason?: string | undefined },
  ): Promise<DeadLetterOutcome> {
    const deadLetter = await this.#find(id);
    if (deadLetter.handler === INGEST_HANDLER)
      return retryAcceptedDeadLetter(this.#database, this.#store, { id, accepted: deadLetter.event, by });
    if (this.#isSink(deadLetter.handler)) {
      await leaveToSink(this.#database, { ...deadLetter, id }, { by, reason });
      return { id, status: "retried", released: 0, parked: await this.#parked(deadLetter) };
    }
    const target = this.#target(deadLetter.handler);
    if (target === undefined || deadLetter.position === null) {
      throw new DeadLetterNotRetryableError(id, deadLetter.handler);
    }
    const failure = await this.#database.transaction(async (transaction) => {
      await target.lock(transaction, deadLetter.event);
      await lockOpen(transaction, id);
      const failed = await handleAlone({ ...target, transaction }, deadLetter.event);
      if (failed === undefined) {
        await transaction.query(RESOLVE, [id, "retried", by, reason ?? null, 1]);
        await releaseStream(transaction, id);
      } else {
        await noteFailure(transaction, id, failed);
      }
      return failed;
    });
    if (failure === undefined) return this.#release(id, "retried", deadLetter);
    return { id, status: "open", failure, released: 0, parked: await this.#parked(deadLetter) };
  }

  /**
   * Retries the matching open dead letters as `retry` does, oldest first, and continues when one fails again. Stops
   * early at a transient failure.
   */
  async retryAll(filter: RetryFilter, { by }: { readonly by: string }): Promise<RetriedDeadLetters> {
    const { handler = null, code = null, after = 0, limit = 100 } = filter;
    const deadLetters = await this.#database.query<{ id: number }>(OPEN_DEAD_LETTERS, [
      handler,
      code,
      after,
      limit,
    ]);
    const outcomes: DeadLetterOutcome[] = [];
    for (const { id } of deadLetters) {
      try {
        outcomes.push(await this.retry(id, { by }));
      } catch (error) {
        // Resolved concurrently.
        if (error instanceof DeadLetterResolvedError) continue;
        if (!(error instanceof DeadLetterNotRetryableError)) {
          if (!isTransientFailure(error)) throw error;
          return { outcomes, stopped: { id, ...describeFailure(error) } };
        }
        outcomes.push({ id, status: "open", failure: describeFailure(error), released: 0, parked: 0 });
      }
    }
    const last = deadLetters.length === limit ? deadLetters.at(-1) : undefined;
    return { outcomes, ...(last !== undefined && { next: last.id }) };
  }

  /**
   * Closes the dead letters of accepted events that have been stored in the meantime: at most 100 a call. One whose
   * content differs from the stored event's stays open with that reason.
   *
   * @returns the number of closed dead letters
   */
  async closeStored(): Promise<number> {
    return this.#retryEach(await deadLettersStoredMeanwhile(this.#database));
  }

  /**
   * Stores the accepted events that a process refused because it did not know their version yet, and this one does: at most 1,000 a
   * call.
   *
   * @returns the number of dead letters that are closed by it
   */
  async storeNewer(): Promise<number> {
    return this.#retryEach(await deadLettersOfKnownVersions(this.#database, this.#catalogue));
  }

  async #retryEach(ids: readonly number[]): Promise<number> {
    let closed = 0;
    for (const id of ids) {
      try {
        if ((await this.retry(id, { by: INGEST_HANDLER })).status === "retried") closed += 1;
      } catch (error) {
        if (!(error instanceof DeadLetterResolvedError)) throw error;
      }
    }
    return closed;
  }

  /**
   * Skips the event permanently. The events of its stream that waited behind it follow, as in `retry`.
   *
   * @param by the actor, stored with the dead letter, as is the reason
   * @throws DeadLetterNotFoundError, DeadLetterResolvedError
   */
  async skip(
    id: number,
    { by, reason }: { readonly by: string; readonly reason: string },
  ): Promise<DeadLetterOutcome> {
    const deadLetter = await this.#find(id);
    const target = this.#target(deadLetter.handler);
    await this.#database.transaction(async (transaction) => {
      if (deadLetter.position !== null) await target?.lock(transaction, deadLetter.event);
      await lockOpen(transaction, id);
      await transaction.query(RESOLVE, [id, "skipped", by, reason, 0]);
      await releaseStream(transaction, id);
    });
    return this.#release(id, "skipped", deadLetter);
  }

  /**
   * Handles the parked events of a handler's streams that may go on, one transaction for each 200 events of a stream: those behind
   * dead letters that were resolved by a process that died, and for inline handlers those that came through SQL.
   * Returns the number of handled events.
   */
  async releaseAll(handler: string): Promise<number> {
    let released = 0;
    while (released < MAX_RELEASED) {
      let inRound = 0;
      for (const stream of await releasedStreams(this.#database, handler)) {
        inRound += await this.#releaseStream(handler, stream);
      }
      if (inRound === 0) break;
      released += inRound;
    }
    return released;
  }

  async #release(
    id: number,
    status: DeadLetterStatus,
    deadLetter: DeadLetterRow,
  ): Promise<DeadLetterOutcome> {
    if (deadLetter.position === null) return { id, status, released: 0, parked: 0 };
    const released = await this.#releaseStream(deadLetter.handler, deadLetter.event);
    return { id, status, released, parked: await this.#parked(deadLetter) };
  }

  async #releaseStream(name: string, stream: StreamName): Promise<number> {
    const target = this.#target(name);
    if (target === undefined) return 0;
    let released = 0;
    for (let last = false; !last && released < MAX_RELEASED; ) {
      const step = await this.#database.transaction(async (transaction) => {
        await target.lock(transaction, stream);
        return releaseChunk(target, transaction, stream);
      });
      released += step.handled;
      last = step.last;
    }
    return released;
  }

  async #find(id: number): Promise<DeadLetterRow> {
    const [row] = await this.#database.query<DeadLetterRow>(
      `SELECT handler, status, "position", event FROM synap.dead_letters WHERE id = $1`,
      [id],
    );
    if (row === undefined) throw new DeadLetterNotFoundError(id);
    return row;
  }

  async #parked({ handler, event }: DeadLetterRow): Promise<number> {
    const [row] = await this.#database.query<{ parked: number }>(
      `SELECT count(*) AS parked FROM synap.parked_events
        WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3`,
      [handler, event.aggregateType, event.aggregateId],
    );
    return row?.parked ?? 0;
  }
}
