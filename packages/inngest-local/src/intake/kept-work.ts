import { countFailingHandlers } from "../queue/runs.ts";
import { countUnheard, readUnheard, removeUnheard, type UnheardEvents } from "../queue/unheard-events.ts";
import type { StandIn } from "../stand-in.ts";
import { planIntake } from "./plan-intake.ts";
import type { InngestEvent, ReadEvent } from "./read-events.ts";
import { writeIntake } from "./take-in.ts";

/** The work that stays in the queue until somebody acts. */
interface KeptCounts {
  /** Events that no function listens to. */
  readonly unheardEvents: number;
  /** Runs of failure handlers that have failed in all their attempts, and begin anew. */
  readonly failingHandlers: number;
}

/** The most that is kept of events that no function listens to: a disk must not fill with what nobody wants. */
const MOST_EVENTS = 10_000;
const MOST_BYTES = 256 * 1024 * 1024;
const EVENTS_A_TRANSACTION = 20;

/** Looks after what the queue keeps: counts it, and starts functions that listen to kept events by now. */
export class KeptWork {
  #unheard: readonly UnheardEvents[] = [];
  #failingHandlers = 0;
  #looking: Promise<void> | undefined;
  #again = false;

  counts(): KeptCounts {
    return { unheardEvents: sum(this.#unheard, "events"), failingHandlers: this.#failingHandlers };
  }

  /** The kept events by name, as last counted. */
  unheard(): readonly UnheardEvents[] {
    return this.#unheard;
  }

  /** Whether one more event may be kept that no function listens to. */
  hasRoom(): boolean {
    return sum(this.#unheard, "events") < MOST_EVENTS && sum(this.#unheard, "bytes") < MOST_BYTES;
  }

  /** Looks now, or once more when it is looking already. @throws what the database throws */
  lookAfter(standIn: StandIn): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#look(standIn);
    return this.#looking;
  }

  /** The same, where nobody waits for it: what fails is logged, and done by the next look. */
  lookSoon(standIn: StandIn): void {
    this.lookAfter(standIn).catch((error: unknown) => {
      standIn.logger.warn({ error }, "kept events could not be looked through; trying again");
    });
  }

  /** Resolves when no statement of it is under way. */
  async finished(): Promise<void> {
    await this.#looking?.catch(() => undefined);
  }

  async #look(standIn: StandIn): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        for (const { name } of await countUnheard(standIn.database)) await startListeners(standIn, name);
        this.#unheard = await countUnheard(standIn.database);
        this.#failingHandlers = await countFailingHandlers(standIn.database);
      }
    } finally {
      this.#looking = undefined;
    }
  }
}

/** Starts the functions that listen to a name with the events kept under it, oldest first. */
async function startListeners(standIn: StandIn, name: string): Promise<void> {
  const { database, registry, clock, retention, logger } = standIn;
  while (registry.triggeredBy(name).length > 0) {
    const events = (await readUnheard(database, name, EVENTS_A_TRANSACTION)).map(readStored);
    if (events.length === 0) return;
    const now = clock.now();
    const intake = planIntake(registry, events, [], now, retention.keys);
    const afterwards = await database.transaction(async (transaction) => {
      await removeUnheard(
        transaction,
        events.map(({ internalId }) => internalId),
      );
      return writeIntake(standIn, transaction, { intake, unheard: [], now });
    });
    afterwards();
    logger.info({ event: name, events: events.length }, "kept events have a function now");
  }
}

function readStored({ id, body }: { id: string; body: string }): ReadEvent {
  const event: InngestEvent = JSON.parse(body);
  return { internalId: id, event, body };
}

function sum(kept: readonly UnheardEvents[], figure: "events" | "bytes"): number {
  return kept.reduce((total, each) => total + each[figure], 0);
}
