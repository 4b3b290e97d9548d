import type { FreeSlots } from "../queue/due-jobs.ts";
import type { FunctionConfig } from "../registration/function-config.ts";

/** The Inngest server's own limit for a function that sets none. */
const NO_LIMIT = 1_000;

/** Counts calls in flight, so that no concurrency limit is exceeded. A sleeping or waiting run holds no slot. */
export class CallSlots {
  readonly #inFlight = new Map<string, number>();

  /** What a function may take now, before keys are looked at; undefined when nothing. */
  free(config: FunctionConfig, blocked: readonly string[]): FreeSlots | undefined {
    let slots = NO_LIMIT - this.#count(`fn:${config.id}`);
    for (const [index, limit] of config.concurrency.entries()) {
      if (limit.key === undefined)
        slots = Math.min(slots, limit.limit - this.#count(limitName(config, index, "")));
    }
    return slots > 0 ? { id: config.id, slots, blocked } : undefined;
  }

  /**
   * Takes a slot of every limit that applies.
   *
   * @returns a function that gives them back, or undefined when one of the limits is reached
   */
  take(config: FunctionConfig, flowKey: string | null): (() => void) | undefined {
    const names = [{ name: `fn:${config.id}`, limit: NO_LIMIT }];
    const values = readFlowKey(flowKey);
    for (const [index, { limit }] of config.concurrency.entries()) {
      names.push({ name: limitName(config, index, values[index] ?? ""), limit });
    }
    if (names.some(({ name, limit }) => this.#count(name) >= limit)) return undefined;
    for (const { name } of names) this.#inFlight.set(name, this.#count(name) + 1);
    return () => {
      for (const { name } of names) {
        const left = this.#count(name) - 1;
        if (left > 0) this.#inFlight.set(name, left);
        else this.#inFlight.delete(name);
      }
    };
  }

  #count(name: string): number {
    return this.#inFlight.get(name) ?? 0;
  }
}

/** Limits of the scopes `env` and `account` are shared by every function with the same key expression. */
function limitName(config: FunctionConfig, index: number, value: string): string {
  const limit = config.concurrency[index];
  if (limit === undefined || limit.scope === "fn") return `fn:${config.id}:${index}:${value}`;
  return `${limit.scope}:${limit.key ?? ""}:${value}`;
}

function readFlowKey(flowKey: string | null): string[] {
  if (flowKey === null) return [];
  const values: unknown = JSON.parse(flowKey);
  return Array.isArray(values) ? values.map(String) : [];
}
