import type { NewEvent } from "@acuris/eventstore-api";
import { ConnectFromPool, PgEventSource } from "@acuris/eventstore-postgresql";
import type { SynapEvent } from "@synap/types";
import { lastValueFrom, toArray } from "rxjs";
import type { Competitor } from "./competitor.ts";
import { createEmptyDatabase, withSql } from "./empty-database.ts";
import { plainTypes } from "./plain-types.ts";

const SCHEMA = "eventstore";
/** Made by its schema manager for the whole server. */
const ROLES = ["eventstore_writer", "eventstore_reader"];

/**
 * `@acuris/eventstore-postgresql`, read as the README of `@acuris/eventstore-api` shows ("Reading a stream") and written
 * through its stream writer, which is one transaction for a call. Its README advises nothing about connections;
 * `ConnectFromPool` is its own pool, here with 10 connections as the others have. It has no bulk append: a batch is one
 * statement for each event.
 */
export async function openAcuris(serverUrl: string): Promise<Competitor> {
  const ownRoles = await missingRoles(serverUrl);
  const { url, remove } = await createEmptyDatabase(serverUrl, "peers_acuris");
  const provider = new ConnectFromPool({
    connectionString: url,
    max: 10,
    types: plainTypes,
  });
  const source = new PgEventSource(provider, SCHEMA);
  try {
    await source.manageSchema.create();
  } catch (error) {
    await source.close();
    await remove(ownRoles);
    throw error;
  }
  return {
    id: "acuris",
    name: "Acuris",
    append: (events) => source.streamWriter.write(streamOf(events), events.map(acurisEvent)),
    read: async (example) => {
      const stream = source.streamReader.readStreamForwards(streamOf([example]));
      const events = await lastValueFrom(stream.pipe(toArray()));
      return () => events.map(({ event }) => String(event.metadata.id));
    },
    storedIds: () =>
      withSql(url, async (sql) => {
        const rows = await sql<{ id: string }[]>`SELECT metadata ->> 'id' AS id FROM ${sql(SCHEMA)}.event`;
        return rows.map(({ id }) => id);
      }),
    remove: async () => {
      await source.close();
      await remove(ownRoles);
    },
  };
}

function missingRoles(serverUrl: string): Promise<string[]> {
  return withSql(serverUrl, async (sql) => {
    const rows = await sql<{ name: string }[]>`SELECT rolname AS name FROM pg_roles`;
    const present = new Set(rows.map(({ name }) => name));
    return ROLES.filter((role) => !present.has(role));
  });
}

function streamOf([first]: readonly SynapEvent[]) {
  if (first === undefined) throw new Error("There is no event that names a stream.");
  return { category: first.aggregateType, id: first.aggregateId };
}

/** The same content: what it has no column for is metadata. */
function acurisEvent(event: SynapEvent): NewEvent {
  const { type, data, aggregateType: _type, aggregateId: _id, ...envelope } = event;
  return { type, data, metadata: envelope };
}
