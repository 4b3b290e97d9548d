import type { SynapModule } from "@synap/handlers";
import { seedEventTypes } from "@synap/types";
import { domainMigrations } from "./migrations/domain-migrations.ts";
import { noteCreationReactor } from "./notes/note-creation-reactor.ts";
import { notesReadModel } from "./notes/notes-of.ts";
import { notesProjection } from "./notes/notes-projection.ts";
import { openLoopsProjection, openLoopsReadModel } from "./open-loops/open-loops.ts";
import { reservationDecider } from "./reservations/reservation-decider.ts";
import { reservationsProjection, reservationsReadModel } from "./reservations/reservations-projection.ts";
import { tasksReadModel, tasksViewProjection } from "./tasks/tasks-view.ts";

/**
 * The domain that Synap runs without a config file. Its projections are asynchronous, so they don't slow appends down, except that of the notes.
 *
 * @example
 * export default defineConfig({ modules: [seededDomain], eventTypes: [orderPlaced] });
 */
export const seededDomain = {
  eventTypes: seedEventTypes,
  handlers: [noteCreationReactor],
  projections: [notesProjection, openLoopsProjection, tasksViewProjection, reservationsProjection],
  aggregates: [{ decider: reservationDecider, path: "reservations" }],
  readModels: [openLoopsReadModel, tasksReadModel, reservationsReadModel, notesReadModel],
  migrations: domainMigrations,
} satisfies SynapModule;
