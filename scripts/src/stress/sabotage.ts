import type { Database } from "@synap/database";

/**
 * Disables the watermark of this database: readers then read up to the last number given out, as if
 * transactions committed in the order of their numbers. Shows that the check can fail.
 */
export async function disableWatermark(database: Database): Promise<void> {
  await database.asOwner((transaction) =>
    transaction.execute(`
      CREATE OR REPLACE FUNCTION synap.append_watermark() RETURNS bigint LANGUAGE sql VOLATILE AS $$
        SELECT last_value FROM synap.append_sequence
      $$`),
  );
}
