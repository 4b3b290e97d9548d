import { createHash } from "node:crypto";
import type { SqlSession } from "@synap/database";
import type { StreamName } from "@synap/types";
import { streamKey } from "@synap/types/internal";

/** A stored state of an aggregate at a version. */
export interface Snapshot {
  readonly stream: StreamName;
  readonly version: number;
  /** The id of the event at that version. */
  readonly eventId: string;
  /** The fingerprint of the code that made the state; see `deciderFingerprint`. */
  readonly fingerprint: string;
  /** The state as JSON text. */
  readonly state: string;
  /** Checksum of the fields above; see `checksumOf`. */
  readonly checksum: string;
}

/** Stores the latest snapshot of each aggregate. Every snapshot read from it is verified before use. */
export interface SnapshotStore {
  read(stream: StreamName, session?: SqlSession): Promise<Snapshot | undefined>;
  write(snapshot: Snapshot, session?: SqlSession): Promise<void>;
}

/** Computes a snapshot's checksum. */
export function checksumOf(snapshot: Omit<Snapshot, "checksum">): string {
  const { stream, version, eventId, fingerprint, state } = snapshot;
  const parts = [stream.aggregateType, stream.aggregateId, version, eventId, fingerprint, state];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

const READ = `
SELECT stream_version, event_id, fingerprint, state, checksum
  FROM synap.aggregate_snapshots
 WHERE aggregate_type = $1 AND aggregate_id = $2`;

// An older state replaces a newer one only if other code made the newer one.
const WRITE = `
INSERT INTO synap.aggregate_snapshots AS kept
  (aggregate_type, aggregate_id, stream_version, event_id, fingerprint, state, checksum)
VALUES ($1, $2, $3, $4::text::uuid, $5, $6, $7)
ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
   SET stream_version = EXCLUDED.stream_version,
       event_id = EXCLUDED.event_id,
       fingerprint = EXCLUDED.fingerprint,
       state = EXCLUDED.state,
       checksum = EXCLUDED.checksum,
       taken_at = now()
 WHERE kept.stream_version < EXCLUDED.stream_version OR kept.fingerprint <> EXCLUDED.fingerprint`;

/** Stores snapshots in `synap.aggregate_snapshots`. */
export function createSnapshotStore(database: SqlSession): SnapshotStore {
  return {
    read: async (stream, session = database) => {
      const [row] = await session.query<{
        stream_version: number;
        event_id: string;
        fingerprint: string;
        state: string;
        checksum: string;
      }>(READ, [stream.aggregateType, stream.aggregateId]);
      if (row === undefined) return undefined;
      const { stream_version: version, event_id: eventId, fingerprint, state, checksum } = row;
      return { stream, version, eventId, fingerprint, state, checksum };
    },
    write: async ({ stream, version, eventId, fingerprint, state, checksum }, session = database) => {
      await session.query(WRITE, [
        stream.aggregateType,
        stream.aggregateId,
        version,
        eventId,
        fingerprint,
        state,
        checksum,
      ]);
    },
  };
}

/** Stores snapshots in memory: for tests, and for the in-memory store. */
export function createMemorySnapshotStore(): SnapshotStore {
  const kept = new Map<string, Snapshot>();
  return {
    read: async (stream) => kept.get(streamKey(stream)),
    write: async (snapshot) => {
      const before = kept.get(streamKey(snapshot.stream));
      const isNewer =
        before === undefined ||
        before.version < snapshot.version ||
        before.fingerprint !== snapshot.fingerprint;
      if (isNewer) kept.set(streamKey(snapshot.stream), snapshot);
    },
  };
}
