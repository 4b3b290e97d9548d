import type { Database } from "@synap/database";

/**
 * Takes the watermark out of this database: readers are then told to read up to the last number given out, as if
 * transactions committed in the order of their numbers. For showing that the check can fail.
 */
export async function takeWatermarkOut(database: Database): Promise<void> {
  await database.asOwner((transaction) =>
    transaction.execute(`
      CREATE OR REPLACE FUNCTION synap.append_watermark() RETURNS bigint LANGUAGE sql VOLATILE AS $$
        SELECT last_value FROM synap.append_sequence
      $$`),
  );
}
