import { defineBatchProjection } from "@synap/handlers";

/**
 * A projection that records the order in which it gets events: one row for each stream, with the versions of its events
 * in that order. It shows an event that is missed, repeated or out of order. Segmented, so that several processes share it.
 */
export const recordedStreams = defineBatchProjection({
  name: "recorded-streams",
  version: 1,
  description: "Records the versions of each stream's events, in the order received.",
  events: "all",
  mode: "async",
  segments: 4,
  tables: [
    {
      name: "recorded_streams",
      key: ["stream"],
      columns: "stream text NOT NULL, recorded text NOT NULL, events integer NOT NULL",
    },
  ],
  async apply(events, { transaction, table }) {
    await transaction.query(
      `INSERT INTO ${table("recorded_streams")} AS kept (stream, recorded, events)
       SELECT "aggregateType" || '/' || "aggregateId", string_agg("streamVersion"::text, ' ' ORDER BY place), count(*)
         FROM ROWS FROM (jsonb_to_recordset($1::text::jsonb)
                AS ("aggregateType" text, "aggregateId" text, "streamVersion" bigint))
              WITH ORDINALITY AS e ("aggregateType", "aggregateId", "streamVersion", place)
        GROUP BY 1
       ON CONFLICT (stream) DO UPDATE
          SET recorded = kept.recorded || ' ' || excluded.recorded, events = kept.events + excluded.events`,
      [
        JSON.stringify(
          events.map(({ aggregateType, aggregateId, streamVersion }) => {
            return { aggregateType, aggregateId, streamVersion };
          }),
        ),
      ],
    );
  },
});
