import { holds } from "../flow/expression.ts";
import type { InngestEvent } from "../intake/read-events.ts";
import type { EventBodies } from "../queue/event-bodies.ts";
import type { Waiter } from "../queue/steps.ts";

/** The runs that wait for an event, by its name. */
export class Waiters {
  readonly #byEvent = new Map<string, Map<string, Waiter>>();

  add(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) {
      const named = this.#byEvent.get(waiter.event) ?? new Map<string, Waiter>();
      this.#byEvent.set(waiter.event, named.set(`${waiter.runId} ${waiter.stepId}`, waiter));
    }
  }

  remove(waiter: Waiter): void {
    const named = this.#byEvent.get(waiter.event);
    named?.delete(`${waiter.runId} ${waiter.stepId}`);
    if (named?.size === 0) this.#byEvent.delete(waiter.event);
  }

  /** Forgets what an ended run waited for. */
  removeRun(runId: string): void {
    for (const named of this.#byEvent.values()) {
      for (const waiter of named.values()) if (waiter.runId === runId) this.remove(waiter);
    }
  }

  isAwaited(eventName: string): boolean {
    return this.#byEvent.has(eventName);
  }

  /** The waits that an event ends. In their expressions `event` is what started the run, `async` the new event. */
  async match(event: InngestEvent, bodies: EventBodies): Promise<Waiter[]> {
    const named = [...(this.#byEvent.get(event.name)?.values() ?? [])];
    const started = await bodies.load(
      named.filter(({ expression }) => expression !== undefined).map(({ runEventId }) => runEventId),
    );
    return named.filter(({ expression, runEventId }) => {
      if (expression === undefined) return true;
      const runEvent: unknown = JSON.parse(started.get(runEventId) ?? "{}");
      return holds(expression, { event: runEvent, async: event });
    });
  }
}
