import type { JsonObject, StoredEvent } from "@synap/types";
import { deepFreeze, isNewerVersion, upcastEvent } from "@synap/types/internal";
import { callSync } from "../handler/handler-call.ts";
import { EventVersionNewerError } from "../handler/readable-events.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";

/** An aggregate's state and version. */
export interface AggregateState<State> {
  readonly state: State;
  /** The version of the last applied event; 0 when there is none. */
  readonly version: number;
  /** The id of that event. */
  readonly eventId?: string;
}

/** The parts of an event that are folded. */
type FoldedEvent = Pick<StoredEvent, "id" | "type" | "data" | "streamVersion"> & {
  readonly schemaVersion?: number | undefined;
};

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
 * @throws EventVersionNewerError, EventUpcastError, StoredDataInvalidError
 */
export function applyEvent<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
>(
  decider: Decider<State, Command, Event>,
  before: AggregateState<State>,
  event: FoldedEvent,
): AggregateState<State> {
  const { id: eventId, streamVersion: version } = event;
  const definition = decider.events.find(({ name }) => name === event.type);
  if (definition === undefined) return { ...before, version, eventId };
  if (isNewerVersion(event, definition)) throw new EventVersionNewerError(event, definition.version);
  const state = callSync(decider.name, () => {
    // The data has the current version of its type, on which the decider's types are based.
    const readable = upcastEvent(deepFreeze(event), definition) as FoldedEvent & Event;
    return decider.evolve(before.state, deepFreeze(readable));
  });
  // In place, not a copy: what the state shares with the one before is frozen already and costs nothing, however large it is.
  return { state: deepFreeze(state), version, eventId };
}
