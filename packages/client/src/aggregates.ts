import { uuidv7 } from "uuidv7";
import type { CallOptions, ExpectedVersion, JsonObject, StreamName } from "./contract.ts";
import { found } from "./found.ts";
import { preconditionHeaders } from "./precondition-headers.ts";
import type { Resource } from "./resources.ts";
import type { Transport } from "./transport.ts";

/** A decider as the client sees it: only its types count. `typeof reservationDecider` is one. */
export interface DeciderTypes {
  // Methods, so that a decider of any state and command is assignable.
  evolve(state: never, event: never): unknown;
  decide(command: never, state: never): unknown;
}

type StateOf<Decider extends DeciderTypes> = ReturnType<Decider["evolve"]>;
type CommandOf<Decider extends DeciderTypes> = Parameters<Decider["decide"]>[0];

/** A command by its name with the data that it needs. */
type Command = { readonly type: string; readonly data: unknown };

/** Options of one command. */
export interface CommandOptions extends CallOptions {
  /** Refuse the command unless the aggregate is as expected. Default: any version. */
  readonly expectedVersion?: ExpectedVersion;
  /** The same command with the same key is executed once. Default: a fresh key for each call, shared by its retries. */
  readonly idempotencyKey?: string;
  readonly userId?: string;
  readonly createdBy?: string;
  readonly source?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly metadata?: JsonObject;
}

/** At which version or moment an aggregate is wanted. Default: as it is now. */
export interface AggregateMoment extends CallOptions {
  readonly version?: number;
  /** As it was at this moment, by the timestamps of its events. Problem `moment-in-future` for one that is still to come. */
  readonly at?: Date | string;
  /** As it was known at this moment, with corrections applied, as `at` not in the future. Default, with `validAt`: as it is known now. */
  readonly knownAt?: Date | string;
  /** As it holds at this moment, also one to come, by the validity of its events. Default, with `knownAt`: the same moment. */
  readonly validAt?: Date | string;
}

/** One kind of aggregate. */
export interface Aggregates<State, OneCommand> {
  /** The aggregate's state; undefined when it has no events, or had none at that moment. */
  load(
    id: string,
    moment?: AggregateMoment,
  ): Promise<(Omit<Resource<"Aggregate">, "state"> & { readonly state: State }) | undefined>;
  /**
   * Executes a command.
   * @throws SynapProblem `command-refused` with its `rule`, `command-invalid`, `optimistic-lock`
   */
  execute(
    id: string,
    command: OneCommand,
    options?: CommandOptions,
  ): Promise<Omit<Resource<"CommandResult">, "state"> & { readonly state: State }>;
}

/** Aggregates of every kind. */
export interface AnyAggregates {
  /**
   * An aggregate of any kind, now or at a version or moment. Of a kind with rules it is the state that these give; of any other,
   * the newest data of each type of event, marked by `fold`. Undefined when it has no events, or had none at that moment.
   * @throws SynapProblem `aggregate-type-unknown`, `version-not-found`, `moment-in-future`
   */
  getAggregate(stream: StreamName, moment?: AggregateMoment): Promise<Resource<"Aggregate"> | undefined>;
}

/** Aggregates of every kind through a transport. @internal */
export function createAnyAggregates(transport: Transport): AnyAggregates {
  return {
    async getAggregate({ aggregateType: type, aggregateId: id }, { signal, ...moment } = {}) {
      const { version, at, knownAt, validAt } = moment;
      const query = { version, at, knownAt, validAt };
      const call = transport.call("getAggregate", { path: { type, id }, query, signal });
      return found(call, "aggregate-not-found");
    },
  };
}

/** The aggregates of a decider. */
export type AggregatesOf<Decider extends DeciderTypes> = Aggregates<StateOf<Decider>, CommandOf<Decider>>;

/**
 * The aggregates of one kind.
 *
 * @param kind the aggregate type, and the segment of the address at which its commands are
 *
 * @internal
 */
export function createAggregates<Decider extends DeciderTypes>(
  transport: Transport,
  kind: { readonly type: string; readonly path: string },
): AggregatesOf<Decider> {
  const { getAggregate } = createAnyAggregates(transport);
  return {
    async load(id, moment) {
      const response = await getAggregate({ aggregateType: kind.type, aggregateId: id }, moment);
      // The decider that the client was given is the one that this API runs.
      return response && { ...response, state: response.state as StateOf<Decider> };
    },
    async execute(
      id,
      command,
      { signal, expectedVersion = "any", idempotencyKey = uuidv7(), ...envelope } = {},
    ) {
      const { type, data }: Command = command;
      const response = await transport.call("executeCommand", {
        path: { path: kind.path, id, command: type },
        headers: { "idempotency-key": idempotencyKey, ...preconditionHeaders(expectedVersion) },
        body: { data, ...envelope },
        signal,
      });
      return { ...response, state: response.state as StateOf<Decider> };
    },
  };
}
