import type { SynapModule } from "@synap/handlers";
import { seedEventTypes } from "@synap/types";
import { domainMigrations } from "./migrations/domain-migrations.ts";
import { noteCreationReactor } from "./notes/note-creation-reactor.ts";
import { noteProjector } from "./notes/note-projector.ts";
import { notesReadModel } from "./notes/notes-read-model.ts";
import { openLoopsProjection } from "./open-loops/open-loops.ts";
import { openLoopsReadModel } from "./open-loops/open-loops-read-model.ts";
import { reservationDecider } from "./reservations/reservation-decider.ts";
import { reservationsProjection } from "./reservations/reservations-projection.ts";
import { reservationsReadModel } from "./reservations/reservations-read-model.ts";
import { tasksReadModel } from "./tasks/tasks-read-model.ts";
import { tasksViewProjection } from "./tasks/tasks-view.ts";

/**
 * The domain that Synap runs without a config file. Its projections are asynchronous, so they don't slow appends down.
 *
 * @example
 * export default defineConfig({ modules: [seededDomain], eventTypes: [orderPlaced] });
 */
export const seededDomain = {
  eventTypes: seedEventTypes,
  handlers: [noteProjector, noteCreationReactor],
  projections: [openLoopsProjection, tasksViewProjection, reservationsProjection],
  aggregates: [{ decider: reservationDecider, path: "reservations" }],
  readModels: [openLoopsReadModel, tasksReadModel, reservationsReadModel, notesReadModel],
  migrations: domainMigrations,
} satisfies SynapModule;
