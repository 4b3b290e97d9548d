import type { ApplicationMigrations } from "@synap/database";
import { notesTable } from "./0001-notes.ts";
import { ownNotes } from "./0002-own-notes.ts";
import { notesOfAll } from "./0003-notes-of-all.ts";
import { notesFromProjection } from "./0004-notes-from-projection.ts";

/** The migrations of the seeded domain's tables that are no projections. Text, so that a bundled config includes them. */
export const domainMigrations = {
  ledger: "synap-domain",
  files: {
    "0001_notes.sql": notesTable,
    "0002_own_notes.sql": ownNotes,
    "0003_notes_of_all.sql": notesOfAll,
    "0004_notes_from_projection.sql": notesFromProjection,
  },
} satisfies ApplicationMigrations;
