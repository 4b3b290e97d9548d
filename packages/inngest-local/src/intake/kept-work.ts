import type { Broker } from "../broker.ts";
import { countFailingHandlers } from "../queue/runs.ts";
import {
  countUnmatched,
  readUnmatched,
  removeUnmatched,
  type UnmatchedEvents,
} from "../queue/unmatched-events.ts";
import { writeIntake } from "./accept-events.ts";
import { planIntake } from "./plan-intake.ts";
import type { InngestEvent, ReadEvent } from "./read-events.ts";

/** Numbers of work items that stay in the queue until an operator acts. */
interface KeptCounts {
  /** Events that match no registered function. */
  readonly unmatchedEvents: number;
  /** Open runs of failure handlers that failed in all their attempts and are restarted. */
  readonly failingHandlers: number;
}

/** Limits of the unmatched events kept, so that they can't fill the disk. */
const MAX_EVENTS = 10_000;
const MAX_BYTES = 256 * 1024 * 1024;
const EVENTS_A_TRANSACTION = 20;

/** Counts the work that the queue keeps, and starts functions with kept events that match them by now. */
export class KeptWork {
  #unmatched: readonly UnmatchedEvents[] = [];
  #failingHandlers = 0;
  #refreshing: Promise<void> | undefined;
  #again = false;

  counts(): KeptCounts {
    return { unmatchedEvents: sum(this.#unmatched, "events"), failingHandlers: this.#failingHandlers };
  }

  /** Returns the unmatched events by name, as last counted. */
  unmatched(): readonly UnmatchedEvents[] {
    return this.#unmatched;
  }

  /** Checks that one more unmatched event may be kept. */
  hasRoom(): boolean {
    return sum(this.#unmatched, "events") < MAX_EVENTS && sum(this.#unmatched, "bytes") < MAX_BYTES;
  }

  /** Starts functions with matching events and counts the rest. A call during a pass repeats it. @throws errors of the database */
  refresh(broker: Broker): Promise<void> {
    this.#again = true;
    this.#refreshing ??= this.#refresh(broker);
    return this.#refreshing;
  }

  /** Runs `refresh` in the background. Failures are logged; the next pass makes up for them. */
  refreshSoon(broker: Broker): void {
    this.refresh(broker).catch((error: unknown) => {
      broker.logger.warn({ error }, "kept events could not be read; the next pass will try again");
    });
  }

  /** Resolves when no pass is running. */
  async finished(): Promise<void> {
    await this.#refreshing?.catch(() => undefined);
  }

  async #refresh(broker: Broker): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        for (const { name } of await countUnmatched(broker.database))
          await startMatchingFunctions(broker, name);
        this.#unmatched = await countUnmatched(broker.database);
        this.#failingHandlers = await countFailingHandlers(broker.database);
      }
    } finally {
      this.#refreshing = undefined;
    }
  }
}

/** Starts the functions that match a name with its unmatched events, oldest first. */
async function startMatchingFunctions(broker: Broker, name: string): Promise<void> {
  const { database, registry, clock, retention, logger } = broker;
  while (registry.triggeredBy(name).length > 0) {
    const events = (await readUnmatched(database, name, EVENTS_A_TRANSACTION)).map(readStored);
    if (events.length === 0) return;
    const now = clock.now();
    const intake = planIntake(registry, events, [], now, retention.keys);
    const afterwards = await database.transaction(async (transaction) => {
      await removeUnmatched(
        transaction,
        events.map(({ internalId }) => internalId),
      );
      return writeIntake(broker, transaction, { intake, unmatched: [], now });
    });
    afterwards();
    logger.info(
      { event: name, events: events.length },
      "kept events are passed to a function that was registered",
    );
  }
}

function readStored({ id, body }: { id: string; body: string }): ReadEvent {
  const event: InngestEvent = JSON.parse(body);
  return { internalId: id, event, body };
}

function sum(kept: readonly UnmatchedEvents[], figure: "events" | "bytes"): number {
  return kept.reduce((total, each) => total + each[figure], 0);
}
