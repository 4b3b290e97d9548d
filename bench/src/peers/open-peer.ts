import type { Competitor } from "./competitor.ts";
import { createEmptyDatabase, withSql } from "./empty-database.ts";

/** A peer's store that is connected to its database, and what the comparison needs to know of it. */
export interface ConnectedPeer extends Pick<Competitor, "append" | "read"> {
  /** Makes its tables. */
  install(): Promise<unknown>;
  /** Closes its connections. */
  close(): Promise<unknown>;
  /** A query for the ids of all its events, as `id`. */
  readonly selectIds: string;
}

/** The name of a peer. */
export interface PeerName extends Pick<Competitor, "id" | "name"> {
  /** Roles that it makes for the whole server. Those that are not there yet are removed with its database. */
  readonly roles?: readonly string[];
}

/** Opens a peer's store on an empty database of its own. Removes the database when that fails. */
export async function openPeer(
  serverUrl: string,
  { id, name, roles = [] }: PeerName,
  connect: (url: string) => ConnectedPeer,
): Promise<Competitor> {
  const newRoles = await missingRoles(serverUrl, roles);
  const { url, remove: dropDatabase } = await createEmptyDatabase(serverUrl, `peers_${id}`);
  const { append, read, install, close, selectIds } = connect(url);
  const remove = async () => {
    await close();
    await dropDatabase(newRoles);
  };
  try {
    await install();
  } catch (error) {
    await remove();
    throw error;
  }
  const storedIds = () =>
    withSql(url, async (sql) => (await sql.unsafe<{ id: string }[]>(selectIds)).map((row) => row.id));
  return { id, name, append, read, storedIds, remove };
}

async function missingRoles(serverUrl: string, roles: readonly string[]): Promise<string[]> {
  if (roles.length === 0) return [];
  const rows = await withSql(
    serverUrl,
    (sql) => sql<{ name: string }[]>`SELECT rolname AS name FROM pg_roles`,
  );
  const present = new Set(rows.map(({ name }) => name));
  return roles.filter((role) => !present.has(role));
}
