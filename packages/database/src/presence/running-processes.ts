import type { SqlSession } from "../connection/sql-session.ts";
import {
  type CatalogueDifference,
  type CatalogueFingerprint,
  compareCatalogues,
  type TypeHashes,
} from "./catalogue-fingerprint.ts";

/** The role of a process. */
export type ProcessRole = "api" | "worker";

/** A running process as the others see it. */
export interface RunningProcess {
  /** Role, host, process number and a few random characters: `worker@pod-7:1#3fa9`. */
  readonly instance: string;
  readonly role: ProcessRole;
  readonly release: string;
  /** The differences between its catalogue and the caller's; absent when there are none. */
  readonly difference?: CatalogueDifference;
}

/** Time after its last heartbeat for which a process counts as running, in seconds. */
export const ALIVE_SECONDS = 20;

const ANNOUNCE = `
INSERT INTO synap.running_processes (instance, role, release, fingerprint, event_types)
VALUES ($1, $2, $3, $4, $5::text::json)
ON CONFLICT (instance) DO UPDATE SET seen_at = now()`;

const REFRESH = `UPDATE synap.running_processes SET seen_at = now() WHERE instance = $1 RETURNING instance`;

const DELETE_DEAD = `DELETE FROM synap.running_processes WHERE seen_at < now() - interval '1 hour'`;

// The types are only read of processes whose catalogue differs.
const OTHERS = `
SELECT instance, role, release, CASE WHEN fingerprint <> $2 THEN event_types END AS event_types
  FROM synap.running_processes
 WHERE instance <> $1 AND seen_at > now() - make_interval(secs => $3)
 ORDER BY role, instance`;

/** A process that announces itself. */
export interface Announcement {
  readonly instance: string;
  readonly role: ProcessRole;
  readonly release: string;
  readonly catalogue: CatalogueFingerprint;
}

/** Records a heartbeat of the process: once at its start, then every few seconds. */
export async function announceProcess(session: SqlSession, announcement: Announcement): Promise<void> {
  const { instance, role, release, catalogue } = announcement;
  const refreshed = await session.query(REFRESH, [instance]);
  if (refreshed.length > 0) return;
  await session.query(DELETE_DEAD);
  await session.query(ANNOUNCE, [
    instance,
    role,
    release,
    catalogue.fingerprint,
    JSON.stringify(catalogue.types),
  ]);
}

/** Removes a process that stops. */
export async function withdrawProcess(session: SqlSession, instance: string): Promise<void> {
  await session.query("DELETE FROM synap.running_processes WHERE instance = $1", [instance]);
}

/** Reads the other running processes, each with the differences of its catalogue. */
export async function otherProcesses(
  session: SqlSession,
  { instance, catalogue }: Pick<Announcement, "instance" | "catalogue">,
): Promise<RunningProcess[]> {
  const rows = await session.query<
    Pick<RunningProcess, "instance" | "role" | "release"> & { event_types: TypeHashes | null }
  >(OTHERS, [instance, catalogue.fingerprint, ALIVE_SECONDS]);
  return rows.map(({ event_types: types, ...process }) => {
    const difference = types === null ? undefined : compareCatalogues(catalogue.types, types);
    return { ...process, ...(difference !== undefined && { difference }) };
  });
}
