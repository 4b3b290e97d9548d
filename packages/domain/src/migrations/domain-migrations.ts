import type { ApplicationMigrations } from "@synap/database";
import { notesTable } from "./0001-notes.ts";
import { ownNotes } from "./0002-own-notes.ts";
import { notesOfAll } from "./0003-notes-of-all.ts";

/** The migrations of the seeded domain's tables that are no projections. Text, so that a bundled config includes them. */
export const domainMigrations: ApplicationMigrations = {
  ledger: "synap-domain",
  files: {
    "0001_notes.sql": notesTable,
    "0002_own_notes.sql": ownNotes,
    "0003_notes_of_all.sql": notesOfAll,
  },
};
