import type { ApplicationMigrations } from "@synap/database";
import { notesTable } from "./0001-notes.ts";

/** The tables of the seeded domain that are no projections. As text, so that an application's config can be bundled with them. */
export const domainMigrations: ApplicationMigrations = {
  ledger: "synap-domain",
  files: { "0001_notes.sql": notesTable },
};
