import { isDeepStrictEqual } from "node:util";
import { deepFreeze, type StoredEvent, type SynapEvent } from "@synap/types";
import type { StreamName } from "../streams/stream-name.ts";

/** A stream, and its events by version. */
export interface MemoryStream {
  readonly events: StoredEvent[];
  closedAt?: string;
}

/** What is to become of an event: as `synap.append_events` says it. */
export interface Verdict {
  readonly event: SynapEvent;
  readonly status: "stored" | "duplicate" | "conflict" | "closed";
  /** Of a duplicate: the event that is stored already, or the place of the first one in the same call. */
  readonly original?: StoredEvent | number;
}

/** Events, streams, ids and keys: what the tables of the real store hold. Everything here happens at once. */
export class MemoryLog {
  /** In the order of positions. */
  readonly events: StoredEvent[] = [];
  readonly #byId = new Map<string, StoredEvent>();
  readonly #byKey = new Map<string, StoredEvent>();
  readonly #streams = new Map<string, MemoryStream>();
  #appends = 1;

  /** Position up to which everything is stored. */
  get watermark(): number {
    return this.#appends * 1024 + 1023;
  }

  findById(id: string): StoredEvent | undefined {
    return this.#byId.get(id.toLowerCase());
  }

  findByKey(createdBy: string, key: string | undefined): StoredEvent | undefined {
    return key === undefined ? undefined : this.#byKey.get(JSON.stringify([createdBy, key]));
  }

  findStream({ aggregateType, aggregateId }: StreamName): MemoryStream | undefined {
    return this.#streams.get(JSON.stringify([aggregateType, aggregateId]));
  }

  /** Says what would become of the events of one call, and changes nothing. */
  judge(events: readonly SynapEvent[]): Verdict[] {
    const verdicts: Verdict[] = [];
    const firstById = new Map<string, number>();
    const firstByKey = new Map<string, number>();
    for (const [place, event] of events.entries()) {
      const verdict = this.#judgeOne(event, verdicts, firstById, firstByKey);
      verdicts.push(verdict);
      if (!firstById.has(event.id)) firstById.set(event.id, place);
      if (verdict.status === "stored" && event.idempotencyKey !== undefined) {
        firstByKey.set(JSON.stringify([event.createdBy, event.idempotencyKey]), place);
      }
    }
    return verdicts;
  }

  #judgeOne(
    event: SynapEvent,
    earlier: readonly Verdict[],
    firstById: ReadonlyMap<string, number>,
    firstByKey: ReadonlyMap<string, number>,
  ): Verdict {
    const known = this.#byId.get(event.id);
    if (known !== undefined) {
      return isSameEvent(known, event)
        ? { event, status: "duplicate", original: known }
        : { event, status: "conflict" };
    }
    const place = firstById.get(event.id);
    const first = place === undefined ? undefined : earlier[place];
    if (place !== undefined && first !== undefined) {
      if (first.status !== "stored") return { ...first, event };
      return isSameEvent(first.event, event)
        ? { event, status: "duplicate", original: place }
        : { event, status: "conflict" };
    }
    const stored = this.findByKey(event.createdBy, event.idempotencyKey);
    if (stored !== undefined) return { event, status: "duplicate", original: stored };
    if (this.findStream(event)?.closedAt !== undefined) return { event, status: "closed" };
    const original = firstByKey.get(JSON.stringify([event.createdBy, event.idempotencyKey]));
    return original === undefined ? { event, status: "stored" } : { event, status: "duplicate", original };
  }

  /** Stores what the verdicts say, and answers for each event the one that is stored now: itself, or the first. */
  store(verdicts: readonly Verdict[], now: Date): (StoredEvent | undefined)[] {
    if (verdicts.some(({ status }) => status === "stored")) this.#appends += 1;
    const answers: (StoredEvent | undefined)[] = [];
    for (const [place, { event, status, original }] of verdicts.entries()) {
      if (status === "stored") answers.push(this.#add(event, this.#appends * 1024 + place, now));
      else answers.push(typeof original === "number" ? answers[original] : original);
    }
    return answers;
  }

  #add(event: SynapEvent, position: number, now: Date): StoredEvent {
    const name = JSON.stringify([event.aggregateType, event.aggregateId]);
    const stream = this.#streams.get(name) ?? { events: [] };
    // Through JSON, as on the way to a database; frozen, because a stored event never changes.
    const copy: SynapEvent = JSON.parse(JSON.stringify(event));
    const stored: StoredEvent = deepFreeze({
      ...copy,
      position,
      streamVersion: stream.events.length + 1,
      recordedAt: now.toISOString(),
    });
    stream.events.push(stored);
    this.#streams.set(name, stream);
    this.events.push(stored);
    this.#byId.set(stored.id, stored);
    if (stored.idempotencyKey !== undefined) {
      this.#byKey.set(JSON.stringify([stored.createdBy, stored.idempotencyKey]), stored);
    }
    return stored;
  }
}

function isSameEvent(one: SynapEvent, other: SynapEvent): boolean {
  const content = ({ type, aggregateType, aggregateId, data }: SynapEvent): unknown =>
    JSON.parse(JSON.stringify({ type, aggregateType, aggregateId, data }));
  return isDeepStrictEqual(content(one), content(other));
}
