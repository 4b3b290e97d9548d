import { acceptEvents, type Intake, MAX_EVENTS_A_STATEMENT, type NewRun } from "../queue/accept-events.ts";
import type { BatchItem } from "../queue/batch-items.ts";
import type { QueueSession } from "../queue/database.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import type { Waiter } from "../queue/steps.ts";
import type { StandIn } from "../stand-in.ts";
import { resolveStep } from "../steps/resolve-step.ts";
import { type DirectRun, planIntake } from "./plan-intake.ts";
import type { ReadEvent } from "./read-events.ts";

/** Everything that a set of events leads to, decided but not yet written. */
export interface PreparedIntake {
  readonly intake: Intake;
  readonly waits: readonly { readonly waiter: Waiter; readonly body: string }[];
  readonly now: number;
}

/** Decides what events lead to. Reads, if anything, bodies of runs that wait; writes nothing. */
export async function prepareIntake(
  standIn: StandIn,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[] = [],
): Promise<PreparedIntake> {
  const now = standIn.clock.now();
  const intake = planIntake(standIn.registry, events, direct, now, standIn.retention.keys);
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
  return { intake, waits, now };
}

/**
 * Writes a prepared intake within the caller's transaction.
 *
 * @returns what is to be done once the transaction has been committed
 */
export async function writeIntake(
  standIn: StandIn,
  session: QueueSession,
  { intake, waits, now }: PreparedIntake,
): Promise<() => void> {
  const batched = new Set<string>();
  const started: DueJob[] = [];
  for (const slice of sliceIntake(intake)) {
    const result = await acceptEvents(session, slice, now);
    started.push(...result.started.map(({ run, jobId }) => firstJob(run, jobId)));
    for (const item of result.batched) batched.add(item);
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
  };
}

/** Takes events in: when this resolves, they and all they lead to are in the database. One transaction. */
export async function takeIn(
  standIn: StandIn,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[] = [],
): Promise<void> {
  const prepared = await prepareIntake(standIn, events, direct);
  const { intake, waits } = prepared;
  if (intake.events.length === 0 && waits.length === 0) return;
  const single = waits.length === 0 && intake.events.length <= MAX_EVENTS_A_STATEMENT;
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
