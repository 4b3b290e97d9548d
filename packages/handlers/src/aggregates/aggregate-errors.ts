import type { StreamName } from "@synap/types";
import { counted } from "@synap/types/internal";
import { isErrorOf } from "../is-error-of.ts";

/** Thrown when a decider's definition is invalid: a mistake in the program. */
export class DeciderDefinitionError extends Error {
  override readonly name = "DeciderDefinitionError";
  readonly code = "DECIDER_INVALID";

  constructor(decider: string, reason: string, options?: ErrorOptions) {
    super(`Decider "${decider}": ${reason}`, options);
  }
}

/** Thrown by `decide` when a business rule forbids the command in this state. The same command may be allowed later. */
export class CommandRefusedError<Rule extends string = string> extends Error {
  override readonly name = "CommandRefusedError";
  readonly code = "COMMAND_REFUSED";
  /** The name of the rule, in kebab case and stable across releases, so that programs can branch on it. */
  readonly rule: Rule;

  constructor(rule: Rule, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.rule = rule;
  }

  /** Recognises instances from another copy of this package too, such as the one in a bundled config. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class at the right of instanceof, which may be a subclass
    return isErrorOf(this, CommandRefusedError, value, "COMMAND_REFUSED");
  }
}

/**
 * Reports that an aggregate's state can't be kept as a snapshot, because it would not survive the round trip through JSON.
 * Aggregates of this type are folded from all their events on every load.
 */
export class SnapshotSkippedError extends Error {
  override readonly name = "SnapshotSkippedError";
  readonly code = "SNAPSHOT_SKIPPED";
  readonly stream: StreamName;

  constructor(stream: StreamName, reason: string) {
    const { aggregateType, aggregateId } = stream;
    super(`No snapshots of ${aggregateType} ${JSON.stringify(aggregateId)}: ${reason}`);
    this.stream = stream;
  }
}

/** Thrown when a command was executed with other data under the same key. Nothing is stored for it. */
export class CommandKeyReusedError extends Error {
  override readonly name = "CommandKeyReusedError";
  readonly code = "COMMAND_KEY_REUSED";
  readonly stream: StreamName;

  constructor(stream: StreamName) {
    super(
      `${stream.aggregateType} ${JSON.stringify(stream.aggregateId)} has executed this command with other data under the same key. Give the new command a new key.`,
    );
    this.stream = stream;
  }
}

/** Thrown when every attempt of a command lost against a concurrent append. Retrying later may succeed. */
export class AggregateConflictError extends Error {
  override readonly name = "AggregateConflictError";
  readonly code = "AGGREGATE_CONFLICT";
  readonly stream: StreamName;
  /** Total number of attempts. */
  readonly attempts: number;

  constructor(stream: StreamName, attempts: number, options?: ErrorOptions) {
    super(
      `${stream.aggregateType} ${JSON.stringify(stream.aggregateId)} was changed concurrently in each of ${counted(attempts, "attempt")}. Send the command again.`,
      options,
    );
    this.stream = stream;
    this.attempts = attempts;
  }
}
