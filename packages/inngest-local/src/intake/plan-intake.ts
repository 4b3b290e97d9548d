import { createHash } from "node:crypto";
import { ulid } from "ulid";
import type { Intake, NewRun } from "../queue/insert-intake.ts";
import { holds } from "../registration/expression.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import type { FunctionRegistry } from "../registration/function-registry.ts";
import type { ReadEvent } from "./read-events.ts";

/** A run that is started by a cron schedule. */
export interface DirectRun {
  readonly config: FunctionConfig;
  readonly event: ReadEvent;
}

/**
 * Determines the runs that events start. Events that start none are not in the result.
 *
 * @param keyRetention retention of event ids, in milliseconds
 */
export function planIntake(
  registry: FunctionRegistry,
  events: readonly ReadEvent[],
  direct: readonly DirectRun[],
  now: number,
  keyRetention: number,
): Intake {
  const runs: NewRun[] = [];
  const needed = new Map<string, ReadEvent>();
  const expiresAt = now + keyRetention;
  for (const read of events) {
    const scope = { event: read.event };
    for (const { config, expressions } of registry.triggeredBy(read.event.name)) {
      if (!expressions.some((expression) => holds(expression, scope))) continue;
      needed.set(read.internalId, read);
      runs.push(planRun(config, read, expiresAt));
    }
  }
  for (const { config, event } of direct) {
    needed.set(event.internalId, event);
    runs.push(planRun(config, event, expiresAt));
  }
  return {
    events: [...needed.values()].map(({ internalId, body }) => ({ id: internalId, body })),
    runs,
  };
}

function planRun(config: FunctionConfig, { event, internalId }: ReadEvent, expiresAt: number): NewRun {
  return {
    id: ulid(),
    functionId: config.id,
    eventId: internalId,
    eventName: event.name,
    key: `event:${createHash("sha256").update(event.id).digest("base64url")}`,
    expiresAt,
    quiet: isLifecycleEvent(event.name),
  };
}

/** Runs started by these events emit none themselves, because that would never end. */
function isLifecycleEvent(name: string): boolean {
  return name === "inngest/function.failed" || name === "inngest/function.finished";
}
