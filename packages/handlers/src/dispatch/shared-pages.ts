import type { ReadAllPage } from "@synap/database";
import { withTimeLimit } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";

/** Event types of a consumer or of a page. */
type EventTypes = readonly string[] | "all";

/** A page of the log that several consumers of this process take their events from. */
export interface SharedPage extends ReadAllPage {
  /** Position after which the page begins. */
  readonly after: number;
  /** Types of the events that it has. */
  readonly types: EventTypes;
  /** Number of appends that had been announced to this process before it was read. */
  readonly announced: number;
}

/** A consumer that takes pages. */
export interface PageConsumer {
  readonly checkpoint: string;
  readonly types: EventTypes;
  /** Number of appends that had been announced when its pass began. */
  readonly announced: number;
  /** Maximum number of events to take. */
  readonly limit: number;
}

/** The events of a consumer from a position on. */
export type TakenEvents = Pick<ReadAllPage, "events" | "position" | "caughtUp">;

/** Maximum number of pages kept, each of at most 4 MiB of events as text. A consumer that is further behind reads for itself. */
const MAX_PAGES = 4;

/** Longest wait for a page that another consumer is reading, in milliseconds. */
const MAX_WAIT_MS = 1_000;

/**
 * The pages of the log that consumers of this process share: those that are at the same position read it once. Stored events
 * never change, so a page below the watermark stays right.
 *
 * Each consumer keeps its own checkpoint and transaction, and takes what it needs when it gets there. One that is slow,
 * failing or paused is passed by the others; once its pages are gone it reads for itself, until it has caught up with them. A
 * page is kept only while another consumer is about to need it.
 */
export class SharedPages {
  /** Consecutive pages, the oldest first. */
  #pages: readonly SharedPage[] = [];
  readonly #reading = new Map<number, { readonly types: EventTypes; readonly page: Promise<SharedPage> }>();
  readonly #consumers = new Map<string, { readonly types: EventTypes; readonly position: number }>();

  /** The newest consecutive pages that have every event of these types. */
  pagesWith(types: EventTypes): readonly SharedPage[] {
    const first = this.#pages.findLastIndex((page) => !covers(page.types, types)) + 1;
    return this.#pages.slice(first);
  }

  /**
   * Takes the next events of a consumer: from a page that is kept, or is being read, or else from one that `read` reads: of the
   * types of all consumers at this position, for them as well.
   */
  async read(
    consumer: PageConsumer,
    after: number,
    read: (types: EventTypes) => Promise<ReadAllPage>,
  ): Promise<TakenEvents> {
    const { checkpoint, types, announced } = consumer;
    this.#consumers.set(checkpoint, { types, position: after });
    const kept = takeFrom(this.pagesWith(types), consumer, after);
    if (kept !== undefined) return kept;
    const reading = this.#reading.get(after);
    if (reading !== undefined && covers(reading.types, types)) {
      const page = await settledSoon(reading.page);
      const taken = page && takeFrom([page], consumer, after);
      if (taken !== undefined) return taken;
    }
    const companions = this.#companions(checkpoint, after);
    if (companions.length === 0 || this.#reading.has(after)) return read(types);
    const all = union([types, ...companions]);
    const page = read(all).then((each): SharedPage => ({ ...each, after, types: all, announced }));
    this.#reading.set(after, { types: all, page });
    try {
      this.#keep(await page);
    } finally {
      this.#reading.delete(after);
    }
    return takeFrom([await page], consumer, after) ?? read(types);
  }

  /** Notes the position of a consumer, and drops the pages that nobody needs any more. */
  moved(checkpoint: string, types: EventTypes, position: number): void {
    this.#consumers.set(checkpoint, { types, position });
    this.#drop();
  }

  /** Forgets a consumer: another process has its checkpoint, or it is gone. */
  left(checkpoint: string): void {
    this.#consumers.delete(checkpoint);
    this.#drop();
  }

  /** Drops every page. */
  clear(): void {
    this.#pages = [];
  }

  /** The types of the other consumers that need the events after this position next. */
  #companions(checkpoint: string, after: number): EventTypes[] {
    const oldest = this.#pages[0]?.after ?? after;
    return [...this.#consumers].flatMap(([name, { types, position }]) =>
      name !== checkpoint && position >= Math.min(oldest, after) && position <= after ? [types] : [],
    );
  }

  #keep(page: SharedPage): void {
    const last = this.#pages.at(-1);
    const earlier = last?.position === page.after ? this.#pages : [];
    this.#pages = [...earlier, page].slice(-MAX_PAGES);
  }

  #drop(): void {
    const [oldest] = this.#pages;
    if (oldest === undefined) return;
    const needed = [...this.#consumers.values()]
      .map(({ position }) => position)
      .filter((position) => position >= oldest.after);
    this.#pages = this.#pages.filter((page) => needed.some((position) => position < page.position));
  }
}

/** Takes the next events of a consumer from consecutive pages; undefined when its position is in none of them. */
export function takeFrom(
  pages: readonly SharedPage[],
  { types, limit, announced }: PageConsumer,
  after: number,
): TakenEvents | undefined {
  const first = pages.findIndex((page) => page.after <= after && after < page.position);
  if (first < 0) return undefined;
  const events: StoredEvent[] = [];
  for (const page of pages.slice(first)) {
    for (const event of page.events) {
      if (event.position <= after || (types !== "all" && !types.includes(event.type))) continue;
      events.push(event);
      if (events.length === limit) return { events, position: event.position, caughtUp: false };
    }
  }
  const last = pages.at(-1);
  if (last === undefined) return undefined;
  // An append that was announced before the consumer's pass began may be missing in an older page.
  return { events, position: last.position, caughtUp: last.caughtUp && last.announced >= announced };
}

function covers(page: EventTypes, wanted: EventTypes): boolean {
  if (page === "all") return true;
  return wanted !== "all" && wanted.every((type) => page.includes(type));
}

function union(all: readonly EventTypes[]): EventTypes {
  const types = new Set<string>();
  for (const each of all) {
    if (each === "all") return "all";
    for (const type of each) types.add(type);
  }
  return [...types];
}

/** Waits for another consumer's page; undefined if its read fails or takes long, which is then no concern of this one. */
function settledSoon(page: Promise<SharedPage>): Promise<SharedPage | undefined> {
  return withTimeLimit<SharedPage | undefined>(
    page.catch(() => undefined),
    MAX_WAIT_MS,
    () => undefined,
  );
}
