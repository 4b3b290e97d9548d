import { createHash, timingSafeEqual } from "node:crypto";

/** The keys with which events may be sent. */
export class EventKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  /** Whether this is one of the keys. Takes as long for a key that is nearly right as for any other. */
  admit(key: string): boolean {
    const given = digest(key);
    return this.#digests.some((known) => timingSafeEqual(known, given));
  }
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
