import { createTableRelationsHelpers, extractTablesRelationalConfig } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { schema } from "../schema/index.ts";

const tables = extractTablesRelationalConfig<typeof relationalTypes>(schema, createTableRelationsHelpers);
declare const relationalTypes: import("drizzle-orm").ExtractTablesWithRelations<typeof schema>;

/** Drizzle's SQL dialect for PostgreSQL, shared by both drivers. */
export const dialect: PgDialect = new PgDialect();

/** The schema of our tables for drizzle's relational queries. */
export const relationalSchema = {
  fullSchema: schema,
  schema: tables.tables,
  tableNamesMap: tables.tableNamesMap,
};
