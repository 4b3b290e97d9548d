import { createHash } from "node:crypto";
import type { SqlSession, StreamName } from "@synap/database";

/** The state of an aggregate at a version, as it is kept. */
export interface Snapshot {
  readonly stream: StreamName;
  readonly version: number;
  /** The event at that version. */
  readonly eventId: string;
  /** Names the code that made the state; see `deciderFingerprint`. */
  readonly fingerprint: string;
  /** As JSON text. */
  readonly state: string;
  /** Of everything above; see `checksumOf`. */
  readonly checksum: string;
}

/** Where snapshots are kept: one for each aggregate, the latest. Whatever it gives is checked before it is used. */
export interface SnapshotStore {
  read(stream: StreamName, session?: SqlSession): Promise<Snapshot | undefined>;
  write(snapshot: Snapshot, session?: SqlSession): Promise<void>;
}

/** What a snapshot's checksum must be. */
export function checksumOf(snapshot: Omit<Snapshot, "checksum">): string {
  const { stream, version, eventId, fingerprint, state } = snapshot;
  const parts = [stream.aggregateType, stream.aggregateId, version, eventId, fingerprint, state];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

const READ = `
SELECT stream_version, event_id, fingerprint, state, checksum
  FROM synap.aggregate_snapshots
 WHERE aggregate_type = $1 AND aggregate_id = $2`;

// An older state replaces a newer one only when other code made that.
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

/** Snapshots in `synap.aggregate_snapshots`. */
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

/** Snapshots in this process's memory: for tests, and beside the store in memory. */
export function createMemorySnapshotStore(): SnapshotStore {
  const kept = new Map<string, Snapshot>();
  const keyOf = (stream: StreamName) => `${stream.aggregateType}/${stream.aggregateId}`;
  return {
    read: async (stream) => kept.get(keyOf(stream)),
    write: async (snapshot) => {
      const before = kept.get(keyOf(snapshot.stream));
      const isNewer =
        before === undefined ||
        before.version < snapshot.version ||
        before.fingerprint !== snapshot.fingerprint;
      if (isNewer) kept.set(keyOf(snapshot.stream), snapshot);
    },
  };
}
