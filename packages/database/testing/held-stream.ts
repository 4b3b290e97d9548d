import type { StreamName } from "@synap/types";
import postgres from "postgres";

/** Streams whose rows are locked by another session in an idle transaction. */
export interface HeldStream {
  /** Process id of that session. */
  readonly pid: number;
  /** Ends the transaction. */
  release(): Promise<void>;
}

/** `application_name` of that session in `pg_stat_activity`. */
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
