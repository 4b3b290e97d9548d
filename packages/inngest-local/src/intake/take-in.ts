import { acceptEvents, type Intake, MAX_EVENTS_A_STATEMENT, type NewRun } from "../queue/accept-events.ts";
import type { BatchItem } from "../queue/batch-items.ts";
import type { QueueSession } from "../queue/database.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import type { Waiter } from "../queue/steps.ts";
import { keepUnheard } from "../queue/unheard-events.ts";
import type { StandIn } from "../stand-in.ts";
import { resolveStep } from "../steps/resolve-step.ts";
import { type DirectRun, planIntake } from "./plan-intake.ts";
import type { ReadEvent } from "./read-events.ts";

/** Everything that a set of events leads to, decided but not yet written. */
export interface PreparedIntake {
  readonly intake: Intake;
  readonly waits: readonly { readonly waiter: Waiter; readonly body: string }[];
  /** Those of the intake's events that no function listens to, and that are kept until one does. */
  readonly unheard: readonly ReadEvent[];
  readonly now: number;
}

/**
 * Decides what events lead to. Reads, if anything, bodies of runs that wait; writes nothing.
 *
 * @param keepsUnheard whether events that no function listens to are kept
 */
export async function prepareIntake(
  standIn: StandIn,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[] = [],
  keepsUnheard = false,
): Promise<PreparedIntake> {
  const now = standIn.clock.now();
  const planned = planIntake(standIn.registry, events, direct, now, standIn.retention.keys);
  const unheard = keepsUnheard ? events.filter(({ event }) => !isListenedTo(standIn, event.name)) : [];
  const kept = unheard.map(({ internalId, body }) => ({ id: internalId, body }));
  const intake = { ...planned, events: [...planned.events, ...kept] };
  const waits: { waiter: Waiter; body: string }[] = [];
  const taken = new Set<string>();
  for (const { event, body } of events) {
    if (!standIn.waiters.isAwaited(event.name)) continue;
    for (const waiter of await standIn.waiters.match(event, standIn.bodies)) {
      // A wait ends with the first event that fits.
      const name = `${waiter.runId} ${waiter.stepId}`;
      if (!taken.has(name)) waits.push({ waiter, body });
      taken.add(name);
    }
  }
  // One order for all locks.
  waits.sort((a, b) => (a.waiter.runId < b.waiter.runId ? -1 : 1));
  return { intake, waits, unheard, now };
}

/** Whether a function is started by events of this name, or waits for one. */
export function isListenedTo({ registry, waiters }: StandIn, eventName: string): boolean {
  return registry.triggeredBy(eventName).length > 0 || waiters.isAwaited(eventName);
}

/**
 * Writes a prepared intake within the caller's transaction.
 *
 * @returns what is to be done once the transaction has been committed
 */
export async function writeIntake(
  standIn: StandIn,
  session: QueueSession,
  { intake, waits, unheard, now }: PreparedIntake,
): Promise<() => void> {
  const batched = new Set<string>();
  const started: DueJob[] = [];
  for (const slice of sliceIntake(intake)) {
    const result = await acceptEvents(session, slice, now);
    started.push(...result.started.map(({ run, jobId }) => firstJob(run, jobId)));
    for (const item of result.batched) batched.add(item);
  }
  if (unheard.length > 0) {
    const kept = unheard.map(({ internalId, event, body }) => {
      return { id: internalId, name: event.name, bytes: Buffer.byteLength(body) };
    });
    await keepUnheard(session, kept);
  }
  for (const { waiter, body } of waits) await resolveStep(standIn, session, waiter, body, now);
  return () => {
    for (const event of intake.events) standIn.bodies.remember(event.id, event.body);
    for (const { waiter } of waits) standIn.waiters.remove(waiter);
    const items = intake.batchItems.filter((item) => batched.has(`${item.functionId} ${item.eventId}`));
    standIn.batches.add(items.map((item): BatchItem => ({ ...item, arrivedAt: now })));
    standIn.backlog.add(started);
    if (started.length > 0) standIn.offer(started);
    if (waits.length > 0) standIn.wake();
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
  const prepared = await prepareIntake(standIn, events, direct, keepsUnheard);
  const { intake, waits, unheard } = prepared;
  if (intake.events.length === 0 && waits.length === 0) return;
  const single = waits.length + unheard.length === 0 && intake.events.length <= MAX_EVENTS_A_STATEMENT;
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
      batchItems: intake.batchItems.filter(({ eventId }) => ids.has(eventId)),
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
    flowKey: run.flowKey ?? null,
    attempt: 0,
    eventIds: [run.eventId],
    eventName: run.eventName,
    planSteps: false,
    requestVersion: -1,
    quiet: run.quiet,
    parent: run.parent,
    steps: [],
  };
}
