import { ulid } from "ulid";
import type { InngestEvent, ReadEvent } from "../intake/read-events.ts";
import { type RunError, serializeError } from "./run-error.ts";

export const FUNCTION_FAILED = "inngest/function.failed";
export const FUNCTION_FINISHED = "inngest/function.finished";
export const SCHEDULED_TIMER = "inngest/scheduled.timer";

/** Result of a run. The output is JSON text. */
export type Ending =
  | { readonly status: "completed"; readonly output: string }
  | { readonly status: "failed"; readonly error: RunError };

/** Creates an event of the broker itself. */
export function createBrokerEvent(
  name: string,
  id: string | undefined,
  data: Record<string, unknown>,
): ReadEvent {
  const internalId = ulid();
  const event: InngestEvent = { data, id: id ?? internalId, name, ts: Date.now(), user: {} };
  return { internalId, event, body: JSON.stringify(event) };
}

/**
 * Creates the events of a run's end: `inngest/function.finished`, preceded by `inngest/function.failed`, whose id is the
 * run's, when it failed.
 *
 * @param body the JSON text of the run's event; undefined when it is no longer stored
 */
export function lifecycleEvents(
  run: { readonly id: string; readonly functionId: string },
  body: string | undefined,
  ending: Ending,
): ReadEvent[] {
  const events: unknown[] = body === undefined ? [] : [JSON.parse(body)];
  const common = {
    event: events[0] ?? {},
    events: events.map(withoutUser),
    function_id: run.functionId,
    run_id: run.id,
  };
  if (ending.status === "completed") {
    const result: unknown = JSON.parse(ending.output);
    return [
      createBrokerEvent(FUNCTION_FINISHED, undefined, {
        ...common,
        result,
        _inngest: { status: "Completed" },
      }),
    ];
  }
  const { cause: _, ...result } = ending.error;
  const data = {
    ...common,
    error: serializeError(ending.error),
    result: { __serialized: true, ...result },
    _inngest: { status: "Failed" },
  };
  return [
    createBrokerEvent(FUNCTION_FAILED, run.id, data),
    createBrokerEvent(FUNCTION_FINISHED, undefined, data),
  ];
}

function withoutUser(event: unknown): unknown {
  if (typeof event !== "object" || event === null || !("user" in event)) return event;
  const { user: _, ...rest } = event;
  return rest;
}
