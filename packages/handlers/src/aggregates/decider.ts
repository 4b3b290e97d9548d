import type { EventTypeDefinition, JsonObject } from "@synap/types";
import type { z } from "zod";

/** A command to an aggregate: its name and its data. */
export interface AggregateCommand<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** The type and data of an event: the part that a decider works with. */
export interface DecidedEvent<Type extends string = string, Data = JsonObject> {
  readonly type: Type;
  readonly data: Data;
}

/** The commands of a map of schemas: a union discriminated by `type`. */
export type CommandOf<Commands extends Record<string, z.ZodType>> = {
  [Name in keyof Commands & string]: AggregateCommand<Name, z.output<Commands[Name]>>;
}[keyof Commands & string];

/** The events of a list of definitions: a union discriminated by `type`. */
export type DecidedEventOf<Definitions extends readonly EventTypeDefinition[]> = DecidedAs<
  Definitions[number]
>;

type DecidedAs<Definition extends EventTypeDefinition> =
  Definition extends EventTypeDefinition<infer Name, infer Data> ? DecidedEvent<Name, Data> : never;

/**
 * The rules of one type of aggregate as pure functions: `evolve` folds events into a state, `decide` turns a command into
 * events. Made by `defineDecider`.
 */
export interface Decider<
  State extends JsonObject = JsonObject,
  Command extends AggregateCommand = AggregateCommand,
  Event extends DecidedEvent = DecidedEvent,
  Name extends string = string,
> {
  /** The aggregate type: first half of its streams' names. */
  readonly name: Name;
  /** One sentence for readers of the documentation. */
  readonly description: string;
  /** The events that it decides and folds. Other events of its streams are skipped. */
  readonly events: readonly EventTypeDefinition[];
  /** The schema of each command's data, by the command's name. */
  readonly commands: Readonly<Record<string, z.ZodType>>;
  /** The schema of the state. */
  readonly state: z.ZodType<State>;
  /** The state before the first event. Frozen, because every load starts from it. */
  readonly initialState: State;
  /** Part of the fingerprint of snapshots. Change it when a function that `evolve` calls has changed. */
  readonly revision: number;
  /** Returns the state after an event, as a new object. Must not throw, since the event has already happened. */
  evolve(state: State, event: Event): State;
  /**
   * Returns the events that a command leads to; empty when nothing has to change.
   * @throws CommandRefusedError when a rule forbids it.
   */
  decide(command: Command, state: State): readonly Event[];
}
