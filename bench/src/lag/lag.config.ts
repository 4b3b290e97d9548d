import { defineBatchProjection, defineConfig, defineReadModel, seededDomain } from "@synap/synap";
import { z } from "zod";

/** A projection of one row, the position of the last event it was given: what it shows, a projection of all events shows. */
const lastPosition = defineBatchProjection({
  name: "last-position",
  version: 1,
  description: "Keeps the position of the last event.",
  events: "all",
  mode: "async",
  tables: [
    {
      name: "last_position",
      key: ["name"],
      columns: 'name text NOT NULL, "position" bigint NOT NULL',
    },
  ],
  async apply(events, { transaction, table }) {
    await transaction.query(
      `INSERT INTO ${table("last_position")} (name, "position") VALUES ('log', $1)
       ON CONFLICT (name) DO UPDATE SET "position" = excluded."position"`,
      [events.at(-1)?.position ?? 0],
    );
  },
});

/** The position over HTTP; 0 before the first event. */
export const lastPositionReadModel = defineReadModel({
  path: "last-position",
  description: "The position of the last event that a projection was given",
  writtenBy: [lastPosition],
  parameters: z.strictObject({}),
  response: z.object({ position: z.number() }),
  async read({ query }) {
    const [row] = await query<{ position: number }>('SELECT "position" FROM synap_read.last_position');
    return { position: row?.position ?? 0 };
  },
});

/** The product with every default, and a projection that shows how far it is. */
export default defineConfig({
  modules: [seededDomain],
  projections: [lastPosition],
  readModels: [lastPositionReadModel],
});
