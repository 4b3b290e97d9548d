import type { StoredEvent } from "@synap/types";
import { handles } from "../handler/event-handler.ts";
import { type Consumer, checkpointFor } from "./consumers.ts";
import type { Progress, RecordedState } from "./processing-facts.ts";
import type { HandlerProcessing } from "./processing-state.ts";

/** The parts of an event on which its processing depends. */
export type ProcessedEvent = Pick<StoredEvent, "position" | "type" | "aggregateType" | "aggregateId">;

/**
 * Derives the states of an event: one for each consumer of its type, and one for each handler unknown to this process that
 * has failed on it or parked it. `recorded` must have been read after `progress`: an event that a handler passed by in
 * between is then `done` or in the state in which the handler left it.
 */
export function statesOf(
  event: ProcessedEvent,
  consumers: readonly Consumer[],
  progress: Progress,
  recorded: readonly RecordedState[],
): HandlerProcessing[] {
  const own = recorded.filter(({ position }) => position === event.position);
  const known = consumers
    .filter((consumer) => handles(consumer, event.type))
    .map((consumer) => {
      const { handler, projection, role, mode } = consumer;
      return {
        handler,
        ...(projection !== undefined && { projection }),
        ...(role !== undefined && { role }),
        mode,
        ...(recordedState(own, handler) ?? derivedState(event, consumer, progress)),
      };
    });
  const names = new Set(consumers.map(({ handler }) => handler));
  const others = [...new Set(own.map(({ handler }) => handler))]
    .filter((handler) => !names.has(handler))
    .flatMap((handler) => {
      const state = recordedState(own, handler);
      return state?.state === "failed" || state?.state === "parked" ? [{ handler, ...state }] : [];
    });
  return [...known, ...others].sort((a, b) => (a.handler < b.handler ? -1 : 1));
}

type State = Omit<HandlerProcessing, "handler">;

/** The state that is stored. An event that waits again may have an older dead letter, which was retried. */
function recordedState(own: readonly RecordedState[], handler: string): State | undefined {
  const states = own.filter((each) => each.handler === handler);
  const last = states.find(({ state }) => state !== "retried") ?? states[0];
  if (last === undefined) return undefined;
  if (last.state !== "retried") return { state: last.state, ...last.facts };
  const { resolvedAt, resolvedBy, resolution, deadLetter } = last.facts;
  return {
    state: "done",
    ...(deadLetter !== undefined && { deadLetter }),
    ...(resolvedAt !== undefined && { resolvedAt }),
    ...(resolvedBy !== undefined && { resolvedBy }),
    ...(resolution !== undefined && { resolution }),
  };
}

/** The state that follows from the checkpoint. */
function derivedState(event: ProcessedEvent, consumer: Consumer, progress: Progress): State {
  const checkpoint = checkpointFor(consumer, event);
  if (checkpoint === undefined) return { state: "done" };
  const isBehind = event.position > (progress.positions.get(checkpoint) ?? 0);
  if (!isBehind || consumer.handledAhead.has(event.position)) return { state: "done" };
  const failure = progress.failures.get(checkpoint);
  if (failure === undefined) return { state: "pending" };
  if (failure.position === event.position) return { state: "failed", ...failure.facts };
  return { state: "pending", ...failure.facts };
}
