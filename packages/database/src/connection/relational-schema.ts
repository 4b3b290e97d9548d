import { createTableRelationsHelpers, extractTablesRelationalConfig } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { schema } from "../schema/index.ts";

const tables = extractTablesRelationalConfig<typeof relationalTypes>(schema, createTableRelationsHelpers);
declare const relationalTypes: import("drizzle-orm").ExtractTablesWithRelations<typeof schema>;

/** How drizzle writes SQL for PostgreSQL; the same on both drivers. */
export const dialect: PgDialect = new PgDialect();

/** What drizzle's relational queries need to know about our tables. */
export const relationalSchema = {
  fullSchema: schema,
  schema: tables.tables,
  tableNamesMap: tables.tableNamesMap,
};
