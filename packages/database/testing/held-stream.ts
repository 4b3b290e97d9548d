import type { StreamName } from "@synap/types";
import postgres from "postgres";

/** A stream whose row another session has locked, in a transaction that it doesn't go on with. */
export interface HeldStream {
  /** Of the session that holds it. */
  readonly pid: number;
  /** Ends the transaction. */
  release(): Promise<void>;
}

/** What `pg_stat_activity` calls the session that holds the stream. */
export const HOLDER_NAME = "holds a stream";

/** Locks the rows of existing streams from a separate session. */
export async function holdStreams(url: string, streams: readonly StreamName[]): Promise<HeldStream> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connection: { application_name: HOLDER_NAME } });
  const session = await client.reserve();
  await session`BEGIN`;
  for (const { aggregateType, aggregateId } of streams) {
    const rows = await session`
      SELECT FROM synap.streams
       WHERE aggregate_type = ${aggregateType} AND aggregate_id = ${aggregateId} FOR UPDATE`;
    if (rows.length !== 1) throw new Error(`There is no stream ${aggregateType} ${aggregateId}.`);
  }
  const [row] = await session<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  let isReleased = false;
  return {
    pid: row?.pid ?? 0,
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      await session`ROLLBACK`;
      session.release();
      await client.end();
    },
  };
}
