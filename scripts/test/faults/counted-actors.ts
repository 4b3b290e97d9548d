import { defineStatementProjection, type Projection } from "@synap/handlers";

/** A projection of one statement: the number of events of each actor. It shows an event that is missed or repeated. */
export const countedActors: Projection = defineStatementProjection({
  name: "counted-actors",
  version: 1,
  description: "Counts the events of each actor.",
  events: "all",
  mode: "async",
  tables: [
    {
      name: "counted_actors",
      key: ["actor"],
      columns: `actor text NOT NULL COLLATE "C", events bigint NOT NULL`,
    },
  ],
  statement: {
    columns: ["created_by"],
    write: (table) => `
      INSERT INTO ${table("counted_actors")} AS kept (actor, events)
      SELECT created_by, count(*) FROM events GROUP BY created_by
      ON CONFLICT (actor) DO UPDATE SET events = kept.events + excluded.events`,
  },
});
