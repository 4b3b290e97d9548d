import { acceptEvents, type Intake, MAX_EVENTS_A_STATEMENT, type NewRun } from "../queue/accept-events.ts";
import type { QueueSession } from "../queue/database.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import { keepUnheard } from "../queue/unheard-events.ts";
import type { StandIn } from "../stand-in.ts";
import { type DirectRun, planIntake } from "./plan-intake.ts";
import type { ReadEvent } from "./read-events.ts";

/** Everything that a set of events leads to, decided but not yet written. */
interface PreparedIntake {
  readonly intake: Intake;
  /** Those of the intake's events that no function listens to, and that are kept until one does. */
  readonly unheard: readonly ReadEvent[];
  readonly now: number;
}

/**
 * Decides what events lead to. Writes nothing.
 *
 * @param keepsUnheard whether events that no function listens to are kept
 */
export function prepareIntake(
  standIn: StandIn,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[] = [],
  keepsUnheard = false,
): PreparedIntake {
  const now = standIn.clock.now();
  const planned = planIntake(standIn.registry, events, direct, now, standIn.retention.keys);
  const unheard = keepsUnheard ? events.filter(({ event }) => !isListenedTo(standIn, event.name)) : [];
  const kept = unheard.map(({ internalId, body }) => ({ id: internalId, body }));
  const intake = { ...planned, events: [...planned.events, ...kept] };
  return { intake, unheard, now };
}

/** Whether a function is started by events of this name. */
export function isListenedTo({ registry }: StandIn, eventName: string): boolean {
  return registry.triggeredBy(eventName).length > 0;
}

/**
 * Writes a prepared intake within the caller's transaction.
 *
 * @returns what is to be done once the transaction has been committed
 */
export async function writeIntake(
  standIn: StandIn,
  session: QueueSession,
  { intake, unheard, now }: PreparedIntake,
): Promise<() => void> {
  const started: DueJob[] = [];
  for (const slice of sliceIntake(intake)) {
    const accepted = await acceptEvents(session, slice, now);
    started.push(...accepted.map(({ run, jobId }) => firstJob(run, jobId)));
  }
  if (unheard.length > 0) {
    const kept = unheard.map(({ internalId, event, body }) => {
      return { id: internalId, name: event.name, bytes: Buffer.byteLength(body) };
    });
    await keepUnheard(session, kept);
  }
  return () => {
    for (const event of intake.events) standIn.bodies.remember(event.id, event.body);
    standIn.backlog.add(started);
    if (started.length > 0) standIn.offer(started);
    // A function may have been registered while they were written.
    if (unheard.length > 0) standIn.kept.lookSoon(standIn);
  };
}

/** Takes events in: when this resolves, they and all they lead to are in the database. One transaction. */
export async function takeIn(
  standIn: StandIn,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[] = [],
  keepsUnheard = false,
): Promise<void> {
  const prepared = prepareIntake(standIn, events, direct, keepsUnheard);
  const { intake, unheard } = prepared;
  if (intake.events.length === 0) return;
  const single = unheard.length === 0 && intake.events.length <= MAX_EVENTS_A_STATEMENT;
  const afterwards = single
    ? await writeIntake(standIn, standIn.database, prepared)
    : await standIn.database.transaction((transaction) => writeIntake(standIn, transaction, prepared));
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

/** The first call of a run, as the queue would read it. */
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
