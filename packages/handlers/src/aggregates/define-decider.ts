import type { EventTypeDefinition, JsonObject } from "@synap/types";
import { ChangingSchemaError, deepFreeze, describeUnchanging } from "@synap/types/internal";
import { z } from "zod";
import { DeciderDefinitionError } from "./aggregate-errors.ts";
import type { CommandOf, DecidedEvent, DecidedEventOf, Decider } from "./decider.ts";
import { writeState } from "./state-text.ts";

type KeysOf<Union> = Union extends unknown ? keyof Union : never;

/** The fields of a state that its schema doesn't have. */
type ForeignToState<State, Next> = Exclude<KeysOf<Next>, KeysOf<State>>;

/** The fields of decided events that their types don't have. */
type ForeignToEvents<Known extends DecidedEvent, Decided extends DecidedEvent> = Decided extends unknown
  ? Exclude<keyof Decided["data"], KeysOf<Extract<Known, { readonly type: Decided["type"] }>["data"]>>
  : never;

/** Turns a definition with foreign fields into a compile error; adds nothing to any other. */
type WithoutForeign<Fields> = [Fields] extends [never]
  ? unknown
  : { readonly "evolve or decide gives fields that the schema doesn't have": Fields };

/**
 * Defines the rules of one type of aggregate. States are JSON, so that they can be stored as snapshots and served over
 * HTTP; `evolve` and `decide` must depend on their arguments alone and change neither.
 *
 * @throws DeciderDefinitionError when an event type belongs to another aggregate type, the schema of a command
 *   changes data, a schema has no JSON Schema, or the initial state is not JSON or does not satisfy its
 *   schema.
 * @example
 * const lamp = defineDecider({
 *   name: "lamp",
 *   description: "A lamp that is on or off.",
 *   events: [lampSwitched],
 *   commands: { switch: z.strictObject({ on: z.boolean() }) },
 *   state: z.strictObject({ on: z.boolean() }),
 *   initialState: { on: false },
 *   evolve: (_state, event) => ({ on: event.data.on }),
 *   decide: (command, state) =>
 *     command.data.on === state.on ? [] : [{ type: "lamp.switched", data: { on: command.data.on } }],
 * });
 */
export function defineDecider<
  State extends JsonObject,
  const Commands extends Record<string, z.ZodType>,
  const Definitions extends readonly EventTypeDefinition[],
  // `const` type parameters, so that "open" is not widened to string.
  const Next extends State,
  const Decided extends readonly DecidedEventOf<Definitions>[],
  const Name extends string,
>(
  definition: {
    readonly name: Name;
    readonly description: string;
    readonly events: Definitions;
    readonly commands: Commands;
    readonly state: z.ZodType<State>;
    readonly initialState: NoInfer<State>;
    /** Change it when a function that `evolve` calls has changed, so that older snapshots are not used. Default 1. */
    readonly revision?: number;
    evolve(state: NoInfer<State>, event: DecidedEventOf<Definitions>): Next;
    decide(command: CommandOf<Commands>, state: NoInfer<State>): Decided;
  } & WithoutForeign<
    ForeignToState<State, Next> | ForeignToEvents<DecidedEventOf<Definitions>, Decided[number]>
  >,
): Decider<State, CommandOf<Commands>, DecidedEventOf<Definitions>, Name> {
  const { name, events, commands, state, initialState, revision = 1 } = definition;
  const foreign = events.find((event) => event.aggregateType !== name);
  if (foreign !== undefined) {
    const reason = `the event type "${foreign.name}" belongs to the aggregate type "${foreign.aggregateType}"`;
    throw new DeciderDefinitionError(name, reason);
  }
  for (const [command, schema] of Object.entries(commands)) checkCommand(name, command, schema);
  try {
    z.toJSONSchema(state);
  } catch (cause) {
    throw new DeciderDefinitionError(name, "the state cannot be written as JSON Schema", { cause });
  }
  checkInitialState(name, state, initialState);
  // Every load starts from this object.
  return { ...definition, initialState: deepFreeze(structuredClone(initialState)), revision };
}

function checkCommand(decider: string, command: string, schema: z.ZodType): void {
  try {
    describeUnchanging(schema);
  } catch (cause) {
    const reason =
      cause instanceof ChangingSchemaError
        ? `${cause.message}, but a command must reach decide unchanged`
        : "cannot be written as JSON Schema";
    throw new DeciderDefinitionError(decider, `the schema of the command "${command}" ${reason}`, { cause });
  }
}

function checkInitialState<State extends JsonObject>(
  decider: string,
  schema: z.ZodType<State>,
  initialState: State,
): void {
  let isSatisfied: boolean;
  try {
    isSatisfied = schema.safeParse(initialState).success;
  } catch (cause) {
    throw new DeciderDefinitionError(decider, "the schema of the state threw on the initial state", {
      cause,
    });
  }
  if (!isSatisfied) {
    throw new DeciderDefinitionError(decider, "the initial state does not satisfy the schema of the state");
  }
  if (writeState(initialState) === undefined) {
    throw new DeciderDefinitionError(
      decider,
      "the initial state would not survive the round trip through JSON",
    );
  }
}
