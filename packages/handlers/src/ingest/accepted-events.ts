import type { AppendOptions, AppendOutcome, EventStore, SqlSession, Transaction } from "@synap/database";
import { isDataError, type RepeatedEvent, recordDeadLetter, repeatedEvents } from "@synap/database/internal";
import type { SynapEvent } from "@synap/types";

/** The handler name of the dead letters of accepted events that the store refused. */
export const INGEST_HANDLER = "ingest-events";

/** Codes of dead letters that conflict with a stored event, which no retry can resolve. */
export const CONFLICT_CODES = ["event-id-conflict", "idempotency-key-conflict"] as const;

/** The outcome of storing an event for which the API has answered 2xx. */
export type AcceptedOutcome =
  | {
      readonly status: "stored" | "duplicate";
      /** Position of the stored event, or of the one that was stored first if this is a duplicate. */
      readonly id: string;
      readonly position: number;
    }
  /** Not stored; must be recorded as a dead letter. */
  | { readonly status: "refused"; readonly id: string; readonly code: string; readonly reason: string };

/**
 * Appends accepted events, each with its own outcome.
 *
 * Their age is not checked: the API did that when it accepted them, and they may have waited in the queue for a
 * long time. An event that this process refuses although it is stored with the same content, as after a downgrade, is a
 * duplicate. One that shares an idempotency key with a stored event of other content is refused, because its own content
 * would otherwise be gone.
 *
 * @param options.transaction append inside this transaction; by default the call opens one
 * @param options.lockTimeout as in `AppendOptions`
 * @throws StreamLockedError, or the database's error; then nothing is stored
 */
export async function appendAcceptedEvents(
  session: SqlSession,
  store: Pick<EventStore, "appendBatch">,
  events: readonly SynapEvent[],
  options: Pick<AppendOptions, "transaction" | "lockTimeout"> = {},
): Promise<AcceptedOutcome[]> {
  const { transaction } = options;
  const outcomes = await store.appendBatch(events, { ...options, timestamps: "backfill" });
  const sharing = events.filter((event, index) => isOther(event, outcomes[index]));
  const originals = sharing.length === 0 ? [] : await repeatedEvents(transaction ?? session, sharing);
  const judged: AcceptedOutcome[] = [];
  for (const [index, event] of events.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error(`The append of event ${index} has no outcome.`);
    if (outcome.status === "rejected") {
      const stored = await findStored(session, event, transaction);
      judged.push(judgeRejected(outcome, stored));
    } else {
      const original = originals[sharing.indexOf(event)];
      const { status, id, position } = outcome;
      judged.push(
        original?.hasSameContent === false ? keyConflict(event, original) : { status, id, position },
      );
    }
  }
  return judged;
}

/** Records the refused events as open dead letters, one for each content of an id. */
export async function keepRefusedEvents(
  session: SqlSession,
  events: readonly SynapEvent[],
  outcomes: readonly AcceptedOutcome[],
): Promise<void> {
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status !== "refused") continue;
    const { code, reason } = outcome;
    await keepAccepted(session, events[index], { code, reason, attempts: 1 });
  }
}

/** Records anything that was accepted, readable or not, as an open dead letter. Returns the dead letter's id. */
export async function keepAccepted(
  session: SqlSession,
  accepted: unknown,
  failure: { readonly code: string; readonly reason: string; readonly attempts: number },
): Promise<number> {
  const deadLetter = { handler: INGEST_HANDLER, event: accepted, byContent: true, ...failure };
  return (await recordDeadLetter(session, deadLetter)).id;
}

function isOther(event: SynapEvent, outcome: AppendOutcome | undefined): boolean {
  return outcome?.status === "duplicate" && outcome.id !== event.id;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Finds the stored event that a rejected one repeats. Each is looked up alone, since a rejected value may be anything. */
async function findStored(
  session: SqlSession,
  event: SynapEvent,
  transaction: Transaction | undefined,
): Promise<RepeatedEvent | undefined> {
  if (!UUID.test(event.id)) return undefined;
  try {
    const [found] =
      transaction === undefined
        ? await repeatedEvents(session, [event])
        : await transaction.savepoint((savepoint) => repeatedEvents(savepoint, [event]));
    return found;
  } catch (error) {
    // A value that PostgreSQL cannot parse can't be stored.
    if (isDataError(error)) return undefined;
    throw error;
  }
}

function judgeRejected(
  outcome: AppendOutcome & { status: "rejected" },
  stored: RepeatedEvent | undefined,
): AcceptedOutcome {
  const { id, issues } = outcome;
  if (stored?.hasSameContent) return { status: "duplicate", id: stored.id, position: stored.position };
  if (stored !== undefined && stored.id === id) {
    const reason =
      `an event with this id and other content is stored at position ${stored.position}; ` +
      "the content that is not stored is in this dead letter";
    return { status: "refused", id, code: "event-id-conflict", reason };
  }
  const reason = issues.map((issue) => `${issue.path} ${issue.reason}`.trim()).join("; ");
  return { status: "refused", id, code: issues[0]?.code ?? "rejected", reason };
}

function keyConflict(
  { id, idempotencyKey, createdBy }: SynapEvent,
  original: RepeatedEvent,
): AcceptedOutcome {
  const reason =
    `the idempotency key "${idempotencyKey}" of ${createdBy} belongs to event ${original.id} of other content, stored at ` +
    `position ${original.position}; the content that is not stored is in this dead letter`;
  return { status: "refused", id, code: "idempotency-key-conflict", reason };
}
