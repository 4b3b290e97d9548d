import type { Broker } from "../broker.ts";
import type { QueueSession } from "../queue/database.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import { type Intake, insertIntake, MAX_EVENTS_A_STATEMENT, type NewRun } from "../queue/insert-intake.ts";
import { saveUnmatched } from "../queue/unmatched-events.ts";
import { type DirectRun, planIntake } from "./plan-intake.ts";
import type { ReadEvent } from "./read-events.ts";

/** Rows planned for a set of events, not yet written. */
interface PreparedIntake {
  readonly intake: Intake;
  /** Events of the intake that match no function and are kept until one is registered. */
  readonly unmatched: readonly ReadEvent[];
  readonly now: number;
}

/**
 * Plans the rows for a set of events. Writes nothing.
 *
 * @param keepUnmatched keeps events that match no function
 */
export function prepareIntake(
  broker: Broker,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[] = [],
  keepUnmatched = false,
): PreparedIntake {
  const now = broker.clock.now();
  const planned = planIntake(broker.registry, events, direct, now, broker.retention.keys);
  const unmatched = keepUnmatched
    ? events.filter(({ event }) => !hasMatchingFunction(broker, event.name))
    : [];
  const kept = unmatched.map(({ internalId, body }) => ({ id: internalId, body }));
  const intake = { ...planned, events: [...planned.events, ...kept] };
  return { intake, unmatched, now };
}

/** Checks that events of this name start a function. */
export function hasMatchingFunction({ registry }: Broker, eventName: string): boolean {
  return registry.triggeredBy(eventName).length > 0;
}

/**
 * Writes a prepared intake within the caller's transaction.
 *
 * @returns a callback to run once the transaction has been committed
 */
export async function writeIntake(
  broker: Broker,
  session: QueueSession,
  { intake, unmatched, now }: PreparedIntake,
): Promise<() => void> {
  const started: DueJob[] = [];
  for (const slice of sliceIntake(intake)) {
    const accepted = await insertIntake(session, slice, now);
    started.push(...accepted.map(({ run, jobId }) => firstJob(run, jobId)));
  }
  if (unmatched.length > 0) {
    const kept = unmatched.map(({ internalId, event, body }) => {
      return { id: internalId, name: event.name, bytes: Buffer.byteLength(body) };
    });
    await saveUnmatched(session, kept);
  }
  return () => {
    for (const event of intake.events) broker.bodies.add(event.id, event.body);
    broker.backlog.add(started);
    if (started.length > 0) broker.offer(started);
    // A matching function may have been registered while they were written.
    if (unmatched.length > 0) broker.kept.refreshSoon(broker);
  };
}

/** Stores events and the runs they start, in one transaction. */
export async function acceptEvents(
  broker: Broker,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[] = [],
  keepUnmatched = false,
): Promise<void> {
  const prepared = prepareIntake(broker, events, direct, keepUnmatched);
  const { intake, unmatched } = prepared;
  if (intake.events.length === 0) return;
  const single = unmatched.length === 0 && intake.events.length <= MAX_EVENTS_A_STATEMENT;
  const afterwards = single
    ? await writeIntake(broker, broker.database, prepared)
    : await broker.database.transaction((transaction) => writeIntake(broker, transaction, prepared));
  afterwards();
}

function sliceIntake(intake: Intake): Intake[] {
  const slices: Intake[] = [];
  for (let start = 0; start < intake.events.length; start += MAX_EVENTS_A_STATEMENT) {
    const events = intake.events.slice(start, start + MAX_EVENTS_A_STATEMENT);
    const ids = new Set(events.map(({ id }) => id));
    slices.push({
      events,
      runs: intake.runs.filter(({ eventId }) => ids.has(eventId)),
    });
  }
  return slices;
}

/** Builds the first call of a run as the queue would return it. */
function firstJob(run: NewRun, jobId: number): DueJob {
  return {
    id: jobId,
    runId: run.id,
    functionId: run.functionId,
    stepId: "step",
    attempt: 0,
    eventId: run.eventId,
    eventName: run.eventName,
    planSteps: false,
    requestVersion: -1,
    quiet: run.quiet,
    steps: [],
  };
}
