import {
  type EventStore,
  OptimisticLockError,
  type StreamAppendResult,
  type StreamEventInput,
  type Transaction,
} from "@synap/database";
import { type Backoff, pauseAfterConflict } from "@synap/database/internal";
import {
  checkPast,
  type EventInput,
  type ExpectedVersion,
  type JsonObject,
  type StreamName,
} from "@synap/types";
import { frozenCopy, meetsExpectation } from "@synap/types/internal";
import { callSync } from "../handler/handler-call.ts";
import { AggregateConflictError, CommandKeyReusedError } from "./aggregate-errors.ts";
import { commandEventId } from "./command-event-id.ts";
import { COMMAND_FINGERPRINT, commandFingerprint, isOfOther } from "./command-fingerprint.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";
import { type AggregateState, applyEvent, initialAggregate } from "./fold.ts";
import { knownMoment, knownVersion, readKnownEvents } from "./known-events.ts";
import { SnapshotKeeper, type SnapshotPolicy } from "./snapshot-keeper.ts";

export interface AggregateRepositoryOptions<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
> {
  readonly store: Pick<EventStore, "readStream" | "appendToStream" | "findDuplicates">;
  readonly decider: Decider<State, Command, Event>;
  /** Default: none; every load folds the whole stream. */
  readonly snapshots?: SnapshotPolicy | undefined;
  /** Maximum number of attempts of a command under concurrent appends. Default 5. */
  readonly attempts?: number | undefined;
  /** Delay before another attempt. Default: random, up to 10 ms, 20 ms, 40 ms ... */
  readonly pause?: ((conflicts: number) => Promise<void>) | undefined;
}

/** True if another append came first, and another attempt may meet the expectation. */
function isLostRace(error: unknown, expected: ExpectedVersion): error is OptimisticLockError {
  const isExact = expected === "no-stream" || typeof expected === "number";
  return error instanceof OptimisticLockError && !isExact && meetsExpectation(error.actual, expected);
}

const BACKOFF: Backoff = { firstMs: 10, maxMs: 1_000 };

/** The version or moment at which an aggregate is loaded. */
export interface AggregateMoment {
  /** The state at this version, or at the latest one if the stream has not reached it yet. */
  readonly version?: number | undefined;
  /** The state at this moment, not in the future: only events whose `timestamp` is not later are applied. */
  readonly at?: Date | undefined;
  /**
   * The state as it was known at this moment, not in the future: from the events that were recorded by then and are in force, in the order of validity. Default,
   * with `validAt`: as it is known now.
   */
  readonly knownAt?: Date | undefined;
  /** The state that holds at this moment, also one to come, by the validity of the events. Default, with `knownAt`: the same moment. */
  readonly validAt?: Date | undefined;
  /** Number of events above which `knownAt` and `validAt` give up, because they hold all of them. Default: none. */
  readonly maxEvents?: number | undefined;
  readonly transaction?: Transaction | undefined;
}

/** The actor, the cause and the conditions of a command. The envelope's fields are copied into every event it leads to. */
export interface CommandContext
  extends Pick<
    EventInput,
    "userId" | "createdBy" | "source" | "requestId" | "correlationId" | "causationId" | "metadata"
  > {
  /**
   * Refuse the command unless the aggregate is as expected. At an exact version, without retrying: for commands based on a
   * displayed state.
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /**
   * Executes the same command with the same key once, and returns the same result each time. Its events have a hash of the
   * command's data in their metadata, so that other data under the same key is refused.
   */
  readonly commandKey?: string | undefined;
  /** Decide and append in this transaction. Required on the embedded engine while a transaction is open. */
  readonly transaction?: Transaction | undefined;
}

/** The result of a command. */
export interface CommandResult<State> extends AggregateState<State> {
  /** Events stored for the command; empty when nothing had to change. */
  readonly events: StreamAppendResult["events"];
  /** True if the command had already been executed under the same key. */
  readonly repeated: boolean;
}

/** Loads aggregates of one type and executes commands on them. */
export interface AggregateRepository<State, Command> {
  /**
   * Folds the aggregate's events into its state, now or at another moment. Version 0 when it has no events.
   * @throws EventVersionNewerError when another release wrote an event that this one can't read, as `execute`.
   * @throws InvalidMomentError when a moment is not valid; MomentInFutureError for `at` and `knownAt`; RangeError when `version` is not a whole number from 0, or is given together
   *   with a moment of knowledge or validity; AsOfTooLongError
   */
  load(aggregateId: string, moment?: AggregateMoment): Promise<AggregateState<State>>;
  /**
   * Loads the aggregate, decides and appends, and starts over when another append came first.
   * @throws CommandRefusedError when a rule forbids it.
   * @throws AggregateConflictError when every attempt lost against a concurrent append.
   * @throws OptimisticLockError when the aggregate is not at `expectedVersion`.
   * @throws CommandKeyReusedError when the command was executed with other data under the same key.
   * @throws EventValidationError when the decider returns an invalid event.
   * @throws StreamClosedError
   */
  execute(aggregateId: string, command: Command, context?: CommandContext): Promise<CommandResult<State>>;
  /** Number of snapshots that this process skipped because the state would not survive the round trip through JSON. */
  skippedSnapshots(): number;
}

/** Creates a repository of aggregates on any event store. */
export function createAggregateRepository<
  State extends JsonObject,
  Command extends AggregateCommand,
  Event extends DecidedEvent,
>(options: AggregateRepositoryOptions<State, Command, Event>): AggregateRepository<State, Command> {
  const {
    store,
    decider,
    attempts = 5,
    pause = (conflicts) => pauseAfterConflict(conflicts, BACKOFF),
  } = options;
  const keeper = options.snapshots === undefined ? undefined : new SnapshotKeeper(decider, options.snapshots);
  const streamOf = (aggregateId: string): StreamName => ({ aggregateType: decider.name, aggregateId });

  async function fold(
    stream: StreamName,
    from: AggregateState<State>,
    { version, at, transaction }: AggregateMoment,
  ): Promise<AggregateState<State> | undefined> {
    let current = from;
    // Read from the snapshot's last event on, to check that the stream still holds that very event.
    const events = store.readStream(stream, {
      fromVersion: Math.max(1, from.version),
      toVersion: version,
      transaction,
    });
    let isSameHistory = from.version === 0;
    for await (const event of events) {
      if (!isSameHistory) {
        if (event.id !== from.eventId) return undefined;
        isSameHistory = true;
      } else if (at === undefined || Date.parse(event.timestamp) <= at.valueOf()) {
        current = applyEvent(decider, current, event);
      }
    }
    return isSameHistory ? current : undefined;
  }

  async function load(aggregateId: string, moment: AggregateMoment = {}): Promise<AggregateState<State>> {
    const stream = streamOf(aggregateId);
    const { version = Number.POSITIVE_INFINITY, at, transaction, maxEvents } = moment;
    const known = knownMoment(moment);
    if (known !== undefined) {
      const bound = { name: decider.name, maxEvents };
      const events = await readKnownEvents(store.readStream(stream, { transaction }), known, bound);
      const folded = events.reduce(
        (before, event) => applyEvent(decider, before, event),
        initialAggregate(decider),
      );
      return { ...folded, version: knownVersion(events) };
    }
    if (at !== undefined) checkPast("at", at);
    if (moment.version !== undefined && !(Number.isSafeInteger(version) && version >= 0)) {
      throw new RangeError(`A version must be a whole number from 0, not ${version}.`);
    }
    const snapshot = at === undefined ? await keeper?.read(stream, transaction) : undefined;
    if (snapshot !== undefined && snapshot.version <= version) {
      const current = await fold(stream, snapshot, moment);
      if (current !== undefined) {
        if (transaction === undefined) await keeper?.keep(stream, snapshot.version, current);
        return current;
      }
    }
    const current = (await fold(stream, initialAggregate(decider), moment)) ?? initialAggregate(decider);
    const isNow = at === undefined && moment.version === undefined && transaction === undefined;
    if (isNow) await keeper?.keep(stream, 0, current);
    return current;
  }

  /** The earlier result of the command under this key; undefined when it has not been executed. */
  async function findRepeated(
    stream: StreamName,
    command: Command,
    { commandKey, transaction }: Pick<CommandContext, "commandKey" | "transaction">,
  ): Promise<CommandResult<State> | undefined> {
    if (commandKey === undefined) return undefined;
    const idOf = (index: number) => commandEventId(stream, command.type, commandKey, index);
    // The look-up can't see an open transaction's writes, so inside one the stream itself is read.
    if (transaction === undefined) {
      const found = await store.findDuplicates([{ id: idOf(0), createdBy: "" }]);
      if (found.size === 0) return undefined;
    }
    const events: CommandResult<State>["events"][number][] = [];
    let current: AggregateState<State> = initialAggregate(decider);
    for await (const event of store.readStream(stream, { transaction })) {
      // The events of one command are adjacent.
      const isOfCommand = event.id === idOf(events.length);
      if (events.length > 0 && !isOfCommand) break;
      current = applyEvent(decider, current, event);
      if (!isOfCommand) continue;
      if (isOfOther(event.metadata, commandFingerprint(command.data)))
        throw new CommandKeyReusedError(stream);
      const { id, position, streamVersion } = event;
      events.push({ id, position, streamVersion, duplicate: true });
    }
    return events.length === 0 ? undefined : { ...current, events, repeated: true };
  }

  async function attempt(
    stream: StreamName,
    command: Command,
    context: CommandContext,
  ): Promise<CommandResult<State>> {
    const { expectedVersion = "any", commandKey, transaction, ...envelope } = context;
    const before = await load(stream.aggregateId, { transaction });
    if (!meetsExpectation(before.version, expectedVersion)) {
      throw new OptimisticLockError(stream, expectedVersion, before.version);
    }
    const decided = callSync(decider.name, () => decider.decide(frozenCopy(command), before.state));
    if (decided.length === 0) return { ...before, events: [], repeated: false };
    const inputs: StreamEventInput[] = decided.map(({ type, data }, index) => ({
      ...envelope,
      type,
      data,
      ...(commandKey !== undefined && {
        id: commandEventId(stream, command.type, commandKey, index),
        metadata: { ...envelope.metadata, [COMMAND_FINGERPRINT]: commandFingerprint(command.data) },
      }),
    }));
    const result = await store.appendToStream(stream, before.version, inputs, { transaction });
    let current: AggregateState<State> = before;
    for (const [index, event] of decided.entries()) {
      const { id = "", streamVersion = 0 } = result.events[index] ?? {};
      current = applyEvent(decider, current, {
        ...event,
        schemaVersion: decider.events.find(({ name }) => name === event.type)?.version,
        data: frozenCopy(event.data),
        id,
        streamVersion,
      });
    }
    return { ...current, events: result.events, repeated: false };
  }

  async function execute(
    aggregateId: string,
    command: Command,
    context: CommandContext = {},
  ): Promise<CommandResult<State>> {
    const stream = streamOf(aggregateId);
    const { expectedVersion = "any" } = context;
    const repeated = () => findRepeated(stream, command, context);
    const before = await repeated();
    if (before !== undefined) return before;
    for (let count = 1; ; count += 1) {
      try {
        return await attempt(stream, command, context);
      } catch (error) {
        // When the command is sent twice concurrently, the slower call finds the events of the faster one and returns them.
        const meanwhile = await repeated();
        if (meanwhile !== undefined) return meanwhile;
        if (!isLostRace(error, expectedVersion)) throw error;
        if (count >= attempts) throw new AggregateConflictError(stream, count, { cause: error });
        await pause(count);
      }
    }
  }

  return { load, execute, skippedSnapshots: () => keeper?.skipped ?? 0 };
}
