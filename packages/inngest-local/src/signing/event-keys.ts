import { createHash, timingSafeEqual } from "node:crypto";

/** Keys accepted from senders of events. */
export class EventKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  /** Checks a key in constant time. */
  admit(key: string): boolean {
    const given = digest(key);
    return this.#digests.some((known) => timingSafeEqual(known, given));
  }
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
