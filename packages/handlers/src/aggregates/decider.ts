import type { EventTypeDefinition, JsonObject } from "@synap/types";
import type { z } from "zod";

/** What is asked of an aggregate: a name and what it needs. */
export interface AggregateCommand<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** What an aggregate decided, or what happened to it: the part of an event that a decider works with. */
export interface DecidedEvent<Type extends string = string, Data = JsonObject> {
  readonly type: Type;
  readonly data: Data;
}

/** The commands that a map of schemas amounts to, as a union told apart by `type`. */
export type CommandOf<Commands extends Record<string, z.ZodType>> = {
  [Name in keyof Commands & string]: AggregateCommand<Name, z.output<Commands[Name]>>;
}[keyof Commands & string];

/** The events that a list of definitions amounts to, as a union told apart by `type`. */
export type DecidedEventOf<Definitions extends readonly EventTypeDefinition[]> = DecidedAs<
  Definitions[number]
>;

type DecidedAs<Definition extends EventTypeDefinition> =
  Definition extends EventTypeDefinition<infer Name, infer Data> ? DecidedEvent<Name, Data> : never;

/**
 * The rules of one kind of aggregate, as functions without side effects: what its events make of it, and what it
 * answers to a command. Made by `defineDecider`.
 */
export interface Decider<
  State extends JsonObject = JsonObject,
  Command extends AggregateCommand = AggregateCommand,
  Event extends DecidedEvent = DecidedEvent,
> {
  /** The aggregate type: first half of its streams' names. */
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /** The events it decides and folds. Others in its streams are passed over. */
  readonly events: readonly EventTypeDefinition[];
  /** What each command needs, by the command's name. */
  readonly commands: Readonly<Record<string, z.ZodType>>;
  /** What a state looks like. */
  readonly state: z.ZodType<State>;
  /** Before the first event. Frozen: every load begins from it. */
  readonly initialState: State;
  /** Change it when a function that `evolve` calls has changed: it is part of the fingerprint of snapshots. */
  readonly revision: number;
  /** The state after an event, as a new object. Never refuses: what has happened has happened. */
  evolve(state: State, event: Event): State;
  /**
   * The events that follow from a command, none when nothing is to change.
   * @throws CommandRefusedError when a rule forbids it.
   */
  decide(command: Command, state: State): readonly Event[];
}
