/** A quota that every key has for itself: so much at once, and refilled steadily over the window. */
export interface QuotaOptions {
  readonly quota: number;
  /** Time in which an empty quota is full again, in milliseconds. */
  readonly windowMs: number;
  /** Largest number of keys that are kept. The least recently used of more begin with a full quota again. */
  readonly maxKeys: number;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
}

/** State of a key's quota. */
export interface QuotaState {
  /** Whole units that are left. */
  readonly remaining: number;
  /** Time until the quota is full, in milliseconds. */
  readonly fullInMs: number;
  /** Time until a unit is left, in milliseconds; 0 if one is. */
  readonly retryInMs: number;
}

/** The quotas of many keys. */
export interface Quota {
  state(key: string): QuotaState;
  /**
   * Takes an amount if at least one unit is left, and returns true. More than is left may be taken, because no batch must be too large
   * to be sent at all; nothing more is given until time has paid for it.
   */
  take(key: string, amount: number): boolean;
}

/** Part of a unit by which sums of fractions may be off. */
const ROUNDING = 1e-6;

/**
 * Creates quotas in constant memory and time. A key is one number: the moment at which its quota is full. Keys are in two
 * generations, and the older one is dropped when the newer one has half of the largest number.
 */
export function createQuota({ quota, windowMs, maxKeys, now }: QuotaOptions): Quota {
  const unitMs = windowMs / quota;
  let newer = new Map<string, number>();
  let older = new Map<string, number>();

  const fullAt = (key: string, at: number) => Math.max(at, newer.get(key) ?? older.get(key) ?? at);

  function keep(key: string, full: number): void {
    if (newer.size >= maxKeys / 2 && !newer.has(key)) {
      older = newer;
      newer = new Map();
    }
    newer.set(key, full);
  }

  return {
    state(key) {
      const at = now();
      const fullInMs = fullAt(key, at) - at;
      return {
        remaining: Math.max(0, Math.floor((windowMs - fullInMs) / unitMs + ROUNDING)),
        fullInMs,
        retryInMs: Math.max(0, fullInMs + unitMs - windowMs),
      };
    },
    take(key, amount) {
      const at = now();
      const full = fullAt(key, at);
      const isLeft = full - at + unitMs <= windowMs + ROUNDING * unitMs;
      // Also kept when nothing is given: whoever goes on sending must not be forgotten.
      keep(key, isLeft ? full + amount * unitMs : full);
      return isLeft;
    },
  };
}
