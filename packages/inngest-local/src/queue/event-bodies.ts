import type { QueueSession } from "./database.ts";

/** Bodies that were just taken in are usually needed at once: this many bytes of them stay in memory. */
const DEFAULT_BUDGET = 64 * 1024 * 1024;

/** Event bodies by internal id: the last ones from memory, the others from the database. */
export class EventBodies {
  readonly #session: QueueSession;
  readonly #budget: number;
  readonly #kept = new Map<string, string>();
  #size = 0;

  constructor(session: QueueSession, budget = DEFAULT_BUDGET) {
    this.#session = session;
    this.#budget = budget;
  }

  /** Keeps a stored body in memory, dropping the oldest ones that no longer fit. */
  remember(id: string, body: string): void {
    if (this.#kept.has(id)) return;
    this.#kept.set(id, body);
    this.#size += body.length;
    for (const [oldest, text] of this.#kept) {
      if (this.#size <= this.#budget) break;
      this.#kept.delete(oldest);
      this.#size -= text.length;
    }
  }

  /** A body that is in memory, or undefined. */
  recall(id: string): string | undefined {
    return this.#kept.get(id);
  }

  /** Drops a body from memory: the run that needed it has ended. */
  forget(id: string): void {
    const body = this.#kept.get(id);
    if (body === undefined) return;
    this.#kept.delete(id);
    this.#size -= body.length;
  }

  /** The bodies of the given events. An id that is not stored any more is missing from the result. */
  async load(ids: Iterable<string>): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const body = this.#kept.get(id);
      if (body === undefined) missing.push(id);
      else found.set(id, body);
    }
    if (missing.length > 0) {
      const rows = await this.#session.query<{ id: string; body: string }>(
        `SELECT id, body FROM inngest_local.events WHERE id = ANY (string_to_array($1::text, ','))`,
        [missing.join(",")],
      );
      for (const row of rows) found.set(row.id, row.body);
    }
    return found;
  }
}
