import { ulid } from "ulid";
import { FUNCTION_FAILED, FUNCTION_FINISHED } from "../lifecycle/lifecycle-events.ts";
import { startBatchRun } from "../queue/batch-items.ts";
import type { StandIn } from "../stand-in.ts";
import type { ReadyBatch } from "./batches.ts";
import { flowKeyOf } from "./flow-key.ts";

/** A batch can't be started while nobody knows its function. */
export class FunctionNotRegisteredError extends Error {
  readonly code = "FUNCTION_NOT_REGISTERED";
  override readonly name = "FunctionNotRegisteredError";
}

/**
 * Starts the run of a batch, and takes its events out of the waiting ones in the same statement.
 *
 * @throws FunctionNotRegisteredError
 */
export async function flushBatch(standIn: StandIn, batch: ReadyBatch): Promise<void> {
  const config = standIn.registry.get(batch.functionId);
  if (config === undefined) throw new FunctionNotRegisteredError(`${batch.functionId} is not registered`);
  const firstId = batch.eventIds[0] ?? "";
  const bodies = await standIn.bodies.load([firstId]);
  const first: { name?: unknown } = JSON.parse(bodies.get(firstId) ?? "{}");
  const eventName = String(first.name);
  const run = {
    id: ulid(),
    functionId: config.id,
    eventName,
    flowKey: flowKeyOf(config, { event: first }),
    quiet: eventName === FUNCTION_FAILED || eventName === FUNCTION_FINISHED,
  };
  await startBatchRun(standIn.database, run, batch.eventIds, standIn.clock.now());
  standIn.wake();
}
