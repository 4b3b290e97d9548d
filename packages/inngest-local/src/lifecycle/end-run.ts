import { prepareIntake, writeIntake } from "../intake/take-in.ts";
import { endRun, type RunEnd } from "../queue/runs.ts";
import type { StandIn } from "../stand-in.ts";
import { type Ending, FUNCTION_FAILED, FUNCTION_FINISHED, lifecycleEvents } from "./lifecycle-events.ts";

/** The facts about a run that ends. */
export interface EndingRun {
  readonly id: string;
  readonly functionId: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly eventId: string;
  readonly quiet: boolean;
}

/**
 * Ends a run: its result is stored and the functions that listen for the end are started, all or nothing. When nobody listens it is a single statement, and no event is made.
 */
export async function finishRun(standIn: StandIn, run: EndingRun, ending: Ending): Promise<void> {
  const now = standIn.clock.now();
  const end: RunEnd =
    ending.status === "completed" ? ending : { status: "failed", error: JSON.stringify(ending.error) };
  if (run.quiet || !hasListener(standIn, ending)) {
    await endRun(standIn.database, run, end, now);
  } else {
    const body = (await standIn.bodies.load([run.eventId])).get(run.eventId);
    const prepared = prepareIntake(standIn, lifecycleEvents(run, body, ending));
    const afterwards = await standIn.database.transaction(async (transaction) => {
      if (!(await endRun(transaction, run, end, now))) return undefined;
      return writeIntake(standIn, transaction, prepared);
    });
    afterwards?.();
  }
  // A failed run's event stays in the database; in memory nobody needs either again soon.
  standIn.bodies.forget(run.eventId);
}

function hasListener(standIn: StandIn, ending: Ending): boolean {
  const names = ending.status === "completed" ? [FUNCTION_FINISHED] : [FUNCTION_FAILED, FUNCTION_FINISHED];
  return names.some((name) => standIn.registry.triggeredBy(name).length > 0);
}
