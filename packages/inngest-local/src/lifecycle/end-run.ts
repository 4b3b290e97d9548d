import type { Broker } from "../broker.ts";
import { prepareIntake, writeIntake } from "../intake/accept-events.ts";
import { endRun, type RunEnd } from "../queue/runs.ts";
import { type Ending, FUNCTION_FAILED, FUNCTION_FINISHED, lifecycleEvents } from "./lifecycle-events.ts";

/** A run that ends. */
export interface EndingRun {
  readonly id: string;
  readonly functionId: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly eventId: string;
  readonly quiet: boolean;
}

/**
 * Ends a run: stores its result and starts the functions triggered by its end, in one transaction. Without such functions
 */
export async function finishRun(broker: Broker, run: EndingRun, ending: Ending): Promise<void> {
  const now = broker.clock.now();
  const end: RunEnd =
    ending.status === "completed" ? ending : { status: "failed", error: JSON.stringify(ending.error) };
  if (run.quiet || !hasListener(broker, ending)) {
    await endRun(broker.database, run, end, now);
  } else {
    const body = (await broker.bodies.load([run.eventId])).get(run.eventId);
    const prepared = prepareIntake(broker, lifecycleEvents(run, body, ending));
    const afterwards = await broker.database.transaction(async (transaction) => {
      if (!(await endRun(transaction, run, end, now))) return undefined;
      return writeIntake(broker, transaction, prepared);
    });
    afterwards?.();
  }
  // A failed run's event stays in the database, but is rarely read again.
  broker.bodies.delete(run.eventId);
}

function hasListener(broker: Broker, ending: Ending): boolean {
  const names = ending.status === "completed" ? [FUNCTION_FINISHED] : [FUNCTION_FAILED, FUNCTION_FINISHED];
  return names.some((name) => broker.registry.triggeredBy(name).length > 0);
}
