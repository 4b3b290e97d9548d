import type { StoredEvent, StreamName, SynapEvent } from "@synap/types";
import { deepFreeze, streamKey } from "@synap/types/internal";
import {
  type AppendedEvent,
  collectOutcomes,
  hasSameContent,
  type Original,
  type StoreState,
  type Verdict,
} from "../append/judge-events.ts";

/** A stream, and those of its events that are shown, in the order of versions. */
export interface ShownStream {
  readonly events: readonly StoredEvent[];
  readonly version: number;
  readonly closedAt?: string | undefined;
}

/** A stream with all of its events. */
export interface MemoryStream extends ShownStream {
  readonly events: StoredEvent[];
  version: number;
  closedAt?: string;
}

/** The shown part of a log. */
export interface ShownLog {
  /** In the order of positions. */
  readonly events: readonly StoredEvent[];
  /** Position up to which every append is finished. */
  readonly watermark: number;
  findById(id: string): StoredEvent | undefined;
  findStream(stream: StreamName): ShownStream | undefined;
}

/** Events, streams, ids and keys in memory, in place of the tables of the real store. Every method is atomic. */
export class MemoryLog implements ShownLog {
  readonly events: StoredEvent[] = [];
  readonly #byId = new Map<string, StoredEvent>();
  readonly #byKey = new Map<string, StoredEvent>();
  readonly #streams = new Map<string, MemoryStream>();
  #appends = 1;

  get watermark(): number {
    return this.#appends * 1024 + 1023;
  }

  findById(id: string): StoredEvent | undefined {
    return this.#byId.get(id.toLowerCase());
  }

  findByKey(createdBy: string, key: string | undefined): StoredEvent | undefined {
    return key === undefined ? undefined : this.#byKey.get(JSON.stringify([createdBy, key]));
  }

  findStream(stream: StreamName): MemoryStream | undefined {
    return this.#streams.get(streamKey(stream));
  }

  /** Looks up the originals and streams of the events of one append. */
  state(events: readonly SynapEvent[]): StoreState {
    return {
      originals: events.map((event) => this.#originalOf(event)),
      isClosed: (stream) => this.findStream(stream)?.closedAt !== undefined,
      versionOf: (stream) => this.findStream(stream)?.version ?? 0,
    };
  }

  #originalOf(event: SynapEvent): Original | undefined {
    const byId = this.#byId.get(event.id);
    const stored = byId ?? this.findByKey(event.createdBy, event.idempotencyKey);
    if (stored === undefined) return undefined;
    const { id, position, streamVersion, aggregateType, aggregateId } = stored;
    return {
      id,
      position,
      streamVersion,
      isById: byId !== undefined,
      hasSameContent: hasSameContent(stored, event),
      stream: { aggregateType, aggregateId },
    };
  }

  /** Stores the events with the verdict "stored", and returns the outcome of each event. */
  store(events: readonly SynapEvent[], verdicts: readonly Verdict[], now: Date): AppendedEvent[] {
    const rest = events.filter((_, index) => verdicts[index]?.status === "stored");
    if (rest.length > 0) this.#appends += 1;
    const stored = rest.map((event, index): AppendedEvent => {
      const { id, position, streamVersion, recordedAt } = this.#add(event, this.#appends * 1024 + index, now);
      return { outcome: { status: "stored", id, position, streamVersion }, recordedAt };
    });
    return collectOutcomes(events, verdicts, stored);
  }

  #add(event: SynapEvent, position: number, now: Date): StoredEvent {
    const key = streamKey(event);
    const stream = this.#streams.get(key) ?? { events: [], version: 0 };
    // Through JSON, as in a database; frozen, because a stored event never changes.
    const copy: SynapEvent = JSON.parse(JSON.stringify(event));
    const stored: StoredEvent = deepFreeze({
      ...copy,
      position,
      streamVersion: stream.version + 1,
      recordedAt: now.toISOString(),
    });
    stream.events.push(stored);
    stream.version += 1;
    this.#streams.set(key, stream);
    this.events.push(stored);
    this.#byId.set(stored.id, stored);
    if (stored.idempotencyKey !== undefined) {
      this.#byKey.set(JSON.stringify([stored.createdBy, stored.idempotencyKey]), stored);
    }
    return stored;
  }
}
