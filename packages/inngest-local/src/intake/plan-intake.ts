import { createHash } from "node:crypto";
import { ulid } from "ulid";
import { holds, keyOf } from "../flow/expression.ts";
import { flowKeyOf, limitKey } from "../flow/flow-key.ts";
import type { Intake, NewBatchItem, NewRun } from "../queue/accept-events.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import type { FunctionRegistry } from "../registration/function-registry.ts";
import type { ReadEvent } from "./read-events.ts";

/** A run that is started by name and not by a trigger: invoked by another run, or by the clock. */
export interface DirectRun {
  readonly config: FunctionConfig;
  readonly event: ReadEvent;
  readonly parent?: { readonly runId: string; readonly stepId: string };
}

/**
 * Decides what events lead to: runs, or a place in a batch. Events that lead to nothing are not in the result.
 *
 * @param keyRetention how long an event id and an idempotency key are remembered, in milliseconds
 */
export function planIntake(
  registry: FunctionRegistry,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[],
  now: number,
  keyRetention: number,
): Intake {
  const runs: NewRun[] = [];
  const batchItems: NewBatchItem[] = [];
  const needed = new Map<string, ReadEvent>();
  const expiresAt = now + keyRetention;
  for (const read of events) {
    const scope = { event: read.event };
    for (const { config, expressions } of registry.triggeredBy(read.event.name)) {
      if (!expressions.some((expression) => holds(expression, scope))) continue;
      needed.set(read.internalId, read);
      if (config.batch !== undefined && holds(config.batch.condition, scope)) {
        batchItems.push(planBatchItem(config, config.batch.key, read, expiresAt));
      } else {
        runs.push(planRun(config, read, expiresAt));
      }
    }
  }
  for (const { config, event, parent } of direct) {
    needed.set(event.internalId, event);
    runs.push({ ...planRun(config, event, expiresAt), ...(parent === undefined ? {} : { parent }) });
  }
  return {
    events: [...needed.values()].map(({ internalId, body }) => ({ id: internalId, body })),
    runs,
    batchItems,
  };
}

function planRun(config: FunctionConfig, { event, internalId }: ReadEvent, expiresAt: number): NewRun {
  const scope = { event };
  const keys = [{ key: eventKey(event.id), expiresAt }];
  if (config.idempotency !== undefined) {
    const value = keyOf(config.idempotency, scope);
    // An expression that is false (a missing field) limits nothing, as on the server.
    if (value !== "false") keys.push({ key: `idempotency:${limitKey(value)}`, expiresAt });
  }
  return {
    id: ulid(),
    functionId: config.id,
    eventId: internalId,
    eventName: event.name,
    keys,
    flowKey: flowKeyOf(config, scope),
    quiet: isLifecycleEvent(event.name),
  };
}

/** Batches don't look at the sender's event id, as on the server; the same sending is still taken once. */
function planBatchItem(
  config: FunctionConfig,
  key: string | undefined,
  { event, internalId, body }: ReadEvent,
  expiresAt: number,
): NewBatchItem {
  return {
    functionId: config.id,
    eventId: internalId,
    batchKey: key === undefined ? "" : limitKey(keyOf(key, { event })),
    bytes: Buffer.byteLength(body),
    key: eventKey(internalId),
    expiresAt,
  };
}

function eventKey(id: string): string {
  return `event:${createHash("sha256").update(id).digest("base64url")}`;
}

/** Runs that these events start emit none themselves, or they would go on for ever. */
function isLifecycleEvent(name: string): boolean {
  return name === "inngest/function.failed" || name === "inngest/function.finished";
}
