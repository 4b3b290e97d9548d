/** What the processes of Synap itself need of the store. Applications use `createSynap` of `@synap/synap`. */

export { openMigratedDatabase } from "./open-migrated-database.ts";
