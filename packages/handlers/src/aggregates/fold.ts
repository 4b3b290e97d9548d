import type { JsonObject, StoredEvent } from "@synap/types";
import { deepFreeze } from "@synap/types/internal";
import { callSync } from "../handler/handler-call.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";

/** An aggregate's state and version. */
export interface AggregateState<State> {
  readonly state: State;
  /** The version of the last applied event; 0 when there is none. */
  readonly version: number;
  /** The id of that event. */
  readonly eventId?: string;
}

/** The aggregate before its first event. */
export function initialAggregate<State extends JsonObject>(decider: {
  readonly initialState: State;
}): AggregateState<State> {
  return { state: decider.initialState, version: 0 };
}

/**
 * Applies an event. One that the decider does not know only increases the version. States are frozen: writing into one
 * would change it for the next attempt too.
 *
 * @param event read from the log, or made for this call: it is frozen
 */
export function applyEvent<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
>(
  decider: Decider<State, Command, Event>,
  before: AggregateState<State>,
  event: Pick<StoredEvent, "id" | "type" | "data" | "streamVersion">,
): AggregateState<State> {
  const { id: eventId, streamVersion: version } = event;
  if (!knows<Event>(decider, event)) return { ...before, version, eventId };
  const state = callSync(decider.name, () => decider.evolve(before.state, deepFreeze(event)));
  // In place, not a copy: what the state shares with the one before is frozen already and costs nothing, however large it is.
  return { state: deepFreeze(state), version, eventId };
}

// The store validated the data against the schema of its type, on which the decider's types are based.
function knows<Event extends DecidedEvent>(
  decider: Pick<Decider, "events">,
  event: DecidedEvent,
): event is Event {
  return decider.events.some((definition) => definition.name === event.type);
}
