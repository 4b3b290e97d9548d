import type { QueueSession } from "./database.ts";

/** Default size of the cache, in bytes. Bodies that were just accepted are usually needed at once. */
const DEFAULT_BUDGET = 64 * 1024 * 1024;

/** Cache of event bodies by internal id, in front of the database. */
export class EventBodyCache {
  readonly #session: QueueSession;
  readonly #budget: number;
  readonly #cached = new Map<string, string>();
  #size = 0;

  constructor(session: QueueSession, budget = DEFAULT_BUDGET) {
    this.#session = session;
    this.#budget = budget;
  }

  /** Adds a stored body, evicting the oldest ones beyond the budget. */
  add(id: string, body: string): void {
    if (this.#cached.has(id)) return;
    this.#cached.set(id, body);
    this.#size += body.length;
    for (const [oldest, text] of this.#cached) {
      if (this.#size <= this.#budget) break;
      this.#cached.delete(oldest);
      this.#size -= text.length;
    }
  }

  /** Returns a cached body, or undefined. */
  get(id: string): string | undefined {
    return this.#cached.get(id);
  }

  /** Removes a body from the cache. */
  delete(id: string): void {
    const body = this.#cached.get(id);
    if (body === undefined) return;
    this.#cached.delete(id);
    this.#size -= body.length;
  }

  /** Returns the bodies of events, without those that are no longer stored. */
  async load(ids: Iterable<string>): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const body = this.#cached.get(id);
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
