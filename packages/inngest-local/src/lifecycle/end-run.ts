import { prepareIntake, writeIntake } from "../intake/take-in.ts";
import { endRun, type RunEnd, type RunParent } from "../queue/runs.ts";
import type { StandIn } from "../stand-in.ts";
import { resolveStep } from "../steps/resolve-step.ts";
import { type Ending, FUNCTION_FAILED, FUNCTION_FINISHED, lifecycleEvents } from "./lifecycle-events.ts";
import { handedOnError } from "./run-error.ts";

/** What is known of a run when it ends. */
export interface EndingRun {
  readonly id: string;
  readonly functionId: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly eventIds: readonly string[];
  readonly quiet: boolean;
  readonly parent: RunParent | undefined;
}

/**
 * Ends a run: its result is stored, the run that invoked it goes on, and the functions that listen for the end are
 * started, all or nothing. When nobody listens it is a single statement, and no event is made.
 */
export async function finishRun(standIn: StandIn, run: EndingRun, ending: Ending): Promise<void> {
  const now = standIn.clock.now();
  const end: RunEnd =
    ending.status === "completed" ? ending : { status: "failed", error: JSON.stringify(ending.error) };
  standIn.waiters.removeRun(run.id);
  if (run.parent === undefined && (run.quiet || !hasListener(standIn, ending))) {
    await endRun(standIn.database, run, end, now);
  } else {
    const invoked = run.parent !== undefined;
    const stored = await standIn.bodies.load(run.eventIds);
    const bodies = run.eventIds.flatMap((id) => stored.get(id) ?? []);
    const events = run.quiet
      ? []
      : lifecycleEvents({ id: run.id, functionId: run.functionId, invoked }, bodies, ending);
    const prepared = await prepareIntake(standIn, events);
    const afterwards = await standIn.database.transaction(async (transaction) => {
      if (!(await endRun(transaction, run, end, now))) return undefined;
      if (run.parent !== undefined)
        await resolveStep(standIn, transaction, run.parent, resultMemo(ending), now);
      return writeIntake(standIn, transaction, prepared);
    });
    afterwards?.();
    if (invoked) standIn.wake();
  }
  // A failed run's event stays in the database; in memory nobody needs either again soon.
  for (const id of run.eventIds) standIn.bodies.forget(id);
}

function hasListener(standIn: StandIn, ending: Ending): boolean {
  const names = ending.status === "completed" ? [FUNCTION_FINISHED] : [FUNCTION_FAILED, FUNCTION_FINISHED];
  return names.some(
    (name) => standIn.waiters.isAwaited(name) || standIn.registry.triggeredBy(name).length > 0,
  );
}

function resultMemo(ending: Ending): string {
  if (ending.status === "completed") return `{"data":${ending.output}}`;
  return JSON.stringify({ error: handedOnError(ending.error) });
}
