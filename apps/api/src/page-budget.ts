import { MAX_PAGE_BYTES } from "@synap/database";
import { Problem } from "./problems/problem.ts";

/** Limits of a page budget: bytes of all pages, and the wait of a request for its share. */
export interface PageBudgetOptions {
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

/** Reserved bytes for one page. Return them with `release`, which may be called twice. */
export interface PageRoom {
  /** The page must end with the row that reaches this many bytes. */
  readonly maxBytes: number;
  /** Returns the bytes that the page did not need. */
  settle(bytes: number): void;
  release(): void;
}

/** Load of a budget, for the status. */
export interface PageBudgetState {
  readonly reservedBytes: number;
  readonly maxBytes: number;
  /** Requests that wait for bytes. */
  readonly waiting: number;
}

/** Size of a short page, which is used when a full one does not fit: many small rows, or a few large ones. */
const SHORT_PAGE_BYTES = 256 * 1024;
/** Share of the budget that full pages may take. The rest is reserved for short ones, so that no request starves. */
const FULL_PAGES_SHARE = 0.75;

/** Smallest budget that holds two full pages and two short ones. */
export const MIN_PAGES_BYTES = 12 * 1024 * 1024;

interface Waiting {
  readonly take: (room: PageRoom) => void;
}

/**
 * Bounds the memory of all pages that are being read or sent. A page takes several times its size while it is built, so its
 * bytes are reserved before it is read, and returned when the client has received it. When little is left, pages are
 * shorter; when nothing is left, requests wait in the order of arrival.
 */
export class PageBudget {
  readonly #options: PageBudgetOptions;
  readonly #waiting = new Set<Waiting>();
  #full = 0;
  #short = 0;

  constructor(options: PageBudgetOptions) {
    this.#options = options;
  }

  state(): PageBudgetState {
    return {
      reservedBytes: this.#full + this.#short,
      maxBytes: this.#options.maxBytes,
      waiting: this.#waiting.size,
    };
  }

  /** @throws Problem `too-many-pages` when there is no room in time */
  async reserve(): Promise<PageRoom> {
    // Returned bytes go to waiting requests first, so none are free while any request waits.
    return this.#take() ?? this.#wait();
  }

  #wait(): Promise<PageRoom> {
    const { maxWaitMs } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(tooManyPages(maxWaitMs));
      }, maxWaitMs);
      const waiting: Waiting = {
        take: (room) => {
          clearTimeout(timer);
          resolve(room);
        },
      };
      this.#waiting.add(waiting);
    });
  }

  #take(): PageRoom | undefined {
    const { maxBytes } = this.#options;
    if (this.#full + MAX_PAGE_BYTES <= maxBytes * FULL_PAGES_SHARE)
      return this.#reserve("full", MAX_PAGE_BYTES);
    if (this.#full + this.#short + SHORT_PAGE_BYTES <= maxBytes)
      return this.#reserve("short", SHORT_PAGE_BYTES);
    return undefined;
  }

  #reserve(kind: "full" | "short", maxBytes: number): PageRoom {
    let held = 0;
    const hold = (bytes: number) => {
      if (kind === "full") this.#full += bytes - held;
      else this.#short += bytes - held;
      held = bytes;
    };
    let isReleased = false;
    hold(maxBytes);
    return {
      maxBytes,
      settle: (bytes) => {
        if (isReleased) return;
        hold(bytes);
        this.#admit();
      },
      release: () => {
        isReleased = true;
        hold(0);
        this.#admit();
      },
    };
  }

  /** Assigns returned bytes to the requests that have waited longest. */
  #admit(): void {
    for (const waiting of this.#waiting) {
      const room = this.#take();
      if (room === undefined) return;
      this.#waiting.delete(waiting);
      waiting.take(room);
    }
  }
}

function tooManyPages(maxWaitMs: number): Problem {
  const detail = `Other large responses have used the whole page budget for ${maxWaitMs} ms. Send again, or request smaller pages.`;
  return new Problem("too-many-pages", detail, { retryAfterSeconds: 1 });
}
