import { defineBatchProjection, type Projection } from "@synap/handlers";

/**
 * A projection that tells on whoever feeds it: one row for each stream, holding the places of its events one after the
 * other. An event that is missed, repeated or out of order shows. Split, so that several processes share it.
 */
export const toldStreams: Projection = defineBatchProjection({
  name: "told-streams",
  version: 1,
  description: "Tells the events of each stream.",
  events: "all",
  mode: "async",
  segments: 4,
  tables: [
    {
      name: "told_streams",
      key: ["stream"],
      columns: "stream text NOT NULL, told text NOT NULL, events integer NOT NULL",
    },
  ],
  async apply(events, { transaction, table }) {
    await transaction.query(
      `INSERT INTO ${table("told_streams")} AS kept (stream, told, events)
       SELECT "aggregateType" || '/' || "aggregateId", string_agg("streamVersion"::text, ' ' ORDER BY place), count(*)
         FROM ROWS FROM (jsonb_to_recordset($1::text::jsonb)
                AS ("aggregateType" text, "aggregateId" text, "streamVersion" bigint))
              WITH ORDINALITY AS e ("aggregateType", "aggregateId", "streamVersion", place)
        GROUP BY 1
       ON CONFLICT (stream) DO UPDATE
          SET told = kept.told || ' ' || excluded.told, events = kept.events + excluded.events`,
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
