import type { JsonObject, StoredEvent } from "@synap/types";
import { callAtOnce } from "../dispatch/handler-call.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";

/** An aggregate as its events have made it. */
export interface AggregateState<State> {
  readonly state: State;
  /** The version of the last event in it; 0 when nothing has happened. */
  readonly version: number;
  /** The id of that event. */
  readonly eventId?: string;
}

/** Nothing has happened yet. */
export function initialAggregate<State extends JsonObject>(decider: {
  readonly initialState: State;
}): AggregateState<State> {
  return { state: decider.initialState, version: 0 };
}

/** The aggregate after an event. Events that the decider does not know only count. */
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
  const state = knows<Event>(decider, event)
    ? callAtOnce(decider.name, () => decider.evolve(before.state, event))
    : before.state;
  return { state, version, eventId };
}

// The store has held the data against the schema of its type, which is what the decider's types say of it.
function knows<Event extends DecidedEvent>(
  decider: Pick<Decider, "events">,
  event: DecidedEvent,
): event is Event {
  return decider.events.some((definition) => definition.name === event.type);
}
