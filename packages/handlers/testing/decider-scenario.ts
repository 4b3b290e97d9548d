import { deepStrictEqual } from "node:assert/strict";
import type { JsonObject } from "@synap/types";
import { frozenCopy } from "@synap/types/internal";
import { type AggregateCommand, CommandRefusedError, type DecidedEvent, type Decider } from "../src/index.ts";

/** A given/when/then test of a decider: given events, when a command, then events. */
export interface DeciderScenario<State, Command, Event> {
  /** Adds past events. May be called several times. */
  given(...events: readonly Event[]): DeciderScenario<State, Command, Event>;
  when(command: Command): DecidedScenario<State, Event>;
  /** @throws AssertionError unless this is the state after what was given. */
  isState(state: State): void;
}

/** Assertions on the decision. None is called `then`, because `await` would take such an object for a promise. */
export interface DecidedScenario<State, Event> {
  /** @throws AssertionError unless exactly these events were decided, in this order; pass none for "nothing changes". */
  thenEvents(...events: readonly Event[]): DecidedScenario<State, Event>;
  /** @throws AssertionError unless this is the state after the decided events. */
  thenState(state: State): DecidedScenario<State, Event>;
  /** @throws AssertionError unless this rule refused the command. */
  thenRefused(rule: string): void;
}

/**
 * Tests a decider without a store, in given/when/then form. Given and decided events are validated against the schemas of
 * their types.
 *
 * @example
 * deciderScenario(reservationDecider)
 *   .given({ type: "reservation.created", data: { guestId: "g1", startDate: "2026-06-01" } })
 *   .when({ type: "cancel", data: { reason: "ill" } })
 *   .thenEvents({ type: "reservation.cancelled", data: { reason: "ill" } });
 */
export function deciderScenario<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
>(
  decider: Decider<State, Command, Event>,
  state: State = decider.initialState,
): DeciderScenario<State, Command, Event> {
  return {
    given: (...events) => deciderScenario(decider, evolveAll(decider, state, events)),
    when: (command) => decidedScenario(decider, state, attempt(decider, state, command)),
    isState: (expected) => deepStrictEqual(plain(state), plain(expected)),
  };
}

type Decision<Event> =
  | { readonly refused: undefined; readonly events: readonly Event[] }
  | { readonly refused: CommandRefusedError };

function attempt<State extends JsonObject, Command extends AggregateCommand, Event extends DecidedEvent>(
  decider: Decider<State, Command, Event>,
  state: State,
  command: Command,
): Decision<Event> {
  const schema = decider.commands[command.type];
  if (schema === undefined) throw new Error(`"${decider.name}" knows no command "${command.type}".`);
  schema.parse(command.data);
  try {
    return { refused: undefined, events: decider.decide(frozenCopy(command), frozenCopy(state)) };
  } catch (error) {
    if (error instanceof CommandRefusedError) return { refused: error };
    throw error;
  }
}

function decidedScenario<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
>(
  decider: Decider<State, Command, Event>,
  state: State,
  decision: Decision<Event>,
): DecidedScenario<State, Event> {
  const decided = () => {
    if (decision.refused === undefined) return decision.events;
    throw new Error(`The command was refused: ${decision.refused.message}`, { cause: decision.refused });
  };
  const scenario: DecidedScenario<State, Event> = {
    thenEvents: (...events) => {
      evolveAll(decider, state, decided());
      deepStrictEqual(plain(decided()), plain(events));
      return scenario;
    },
    thenState: (expected) => {
      deepStrictEqual(plain(evolveAll(decider, state, decided())), plain(expected));
      return scenario;
    },
    thenRefused: (rule) => {
      deepStrictEqual(decision.refused?.rule ?? "not refused", rule);
    },
  };
  return scenario;
}

/** Folds the events, each of which must be valid, into a state, which must be valid too. */
function evolveAll<State extends JsonObject, Event extends DecidedEvent>(
  decider: Decider<State, AggregateCommand, Event>,
  state: State,
  events: readonly Event[],
): State {
  let current = frozenCopy(state);
  for (const event of events) {
    const definition = decider.events.find(({ name }) => name === event.type);
    if (definition === undefined) throw new Error(`"${decider.name}" knows no event "${event.type}".`);
    definition.schema.parse(event.data);
    current = frozenCopy(decider.evolve(current, frozenCopy(event)));
    decider.state.parse(current);
  }
  return current;
}

/** Converts to plain JSON, in which an undefined field is absent. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
