import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type CapabilityRow, capabilityQuery, readCapabilities } from "../connection/capabilities.ts";
import { asDatabaseError, DatabaseUnavailableError } from "../connection/database-errors.ts";
import { NO_LOCK_WAITS } from "../connection/lock-waits.ts";
import { asScript, embeddedSettings, RESET_SESSION } from "../connection/session-settings.ts";
import { checkParameters } from "../connection/sql-parameters.ts";
import type {
  Database,
  DatabaseCapabilities,
  Sessions,
  SqlParameter,
  Transaction,
} from "../connection/sql-session.ts";
import { setTransaction, type TransactionMode } from "../connection/transaction-mode.ts";
import { type Guard, runInScope } from "../connection/transaction-scope.ts";
import type { DataDirectoryImage } from "./data-directory-image.ts";
import { type DataDirectoryLock, lockDataDirectory } from "./data-directory-lock.ts";
import { openPgliteInThread, type PgliteInThread, type PgliteSession } from "./pglite-in-thread.ts";
import { openPgliteOrm } from "./pglite-orm.ts";

/** Options of the embedded database. */
export interface EmbeddedOptions {
  /** Directory for the engine's files, created when missing; undefined: in memory, lost on close. */
  readonly dataDirectory: string | undefined;
  /** Image that an in-memory engine starts from; undefined: an empty cluster. */
  readonly image?: DataDirectoryImage | undefined;
  /** Run queries as the role `synap_app`, which can't change events. Default true. */
  readonly applicationRole?: boolean | undefined;
}

/**
 * Opens PostgreSQL with TimescaleDB inside this process, in a separate thread. One session, so transactions run one
 * after the other. Takes about half a gigabyte of memory, 2 to 4 s for a new directory, and under a second for an existing
 * one.
 * @throws DataDirectoryInUseError when another process has it open.
 */
export async function openEmbeddedDatabase(options: EmbeddedOptions): Promise<Database> {
  const { dataDirectory } = options;
  if (dataDirectory === undefined) return openLocked(options, undefined);
  await mkdir(dataDirectory, { recursive: true });
  const lock = lockDataDirectory(dataDirectory);
  try {
    return await openLocked(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openLocked(options: EmbeddedOptions, lock: DataDirectoryLock | undefined): Promise<Database> {
  const { dataDirectory } = options;
  const files = dataDirectory === undefined ? undefined : join(dataDirectory, "pg");
  if (files !== undefined) await mkdir(files, { recursive: true });
  const pglite = await openPgliteInThread(files, options.image);
  try {
    await loadTimescaledb(pglite);
    await pglite.exec(SETTINGS);
    return await asDatabase(pglite, options, lock);
  } catch (error) {
    await pglite.close();
    throw error;
  }
}

async function asDatabase(
  pglite: PgliteInThread,
  options: EmbeddedOptions,
  lock: DataDirectoryLock | undefined,
): Promise<Database> {
  let capabilities: DatabaseCapabilities;
  let closing: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    const { rows } = await pglite.query<CapabilityRow>(capabilityQuery);
    const [row] = rows;
    if (row === undefined) throw new DatabaseUnavailableError("it did not describe itself");
    capabilities = readCapabilities(row, options.applicationRole ?? true);
    await pglite.exec(roleScript());
  }

  function roleScript(): string {
    return capabilities.applicationRole ? "SET ROLE synap_app" : "RESET ROLE";
  }

  async function run<Row extends object>(
    session: PgliteSession,
    text: string,
    parameters: readonly SqlParameter[],
  ): Promise<Row[]> {
    if (closing !== undefined) throw new DatabaseUnavailableError("it was closed");
    return guard(async () => {
      const { rows } = await session.query<Row>(text, checkParameters(parameters));
      return rows;
    });
  }

  async function begin<T>(
    asOwner: boolean,
    work: (transaction: Transaction) => Promise<T>,
    mode?: TransactionMode,
  ): Promise<T> {
    if (closing !== undefined) throw new DatabaseUnavailableError("it was closed");
    const opening = ["BEGIN", setTransaction(mode), asOwner ? "SET LOCAL ROLE NONE" : undefined]
      .filter((statement) => statement !== undefined)
      .join("; ");
    return guard(() =>
      pglite.transaction(
        (session) =>
          runInScope(
            {
              query: (text, parameters) => run(session, text, parameters),
              execute: (script) => guard(() => session.exec(script)),
              control: (statements) => guard(() => session.exec(statements.join("; "))),
              ...(!asOwner && {
                restore: () => session.exec(`${RESET_SESSION} ${SETTINGS}; ${roleScript()}`),
              }),
            },
            (scope) => openPgliteOrm(guarded(session, scope)),
            work,
          ),
        opening,
      ),
    );
  }

  await refresh();
  const orm = openPgliteOrm(pglite);
  const sessions: Sessions = {
    query: (text, parameters = []) => run(pglite, text, parameters),
    transaction: (work, mode) => begin(false, work, mode),
  };
  return {
    engine: "embedded",
    get capabilities() {
      return capabilities;
    },
    orm,
    ...sessions,
    reads: sessions,
    writes: sessions,
    lockWaits: NO_LOCK_WAITS,
    connections: () => [],
    asOwner: (work) => begin(true, work),
    listen: (channel, onNotify) => pglite.listen(channel, onNotify),
    failed: pglite.failed,
    refresh,
    close: () => {
      closing ??= pglite.close().finally(() => lock?.release());
      return closing;
    },
  };
}

/**
 * Nothing gathers statistics in the engine, which lacks the autovacuum process. Without them a table of a hundred thousand
 * events is planned like one of a few hundred: with a bitmap scan and a sort, where an index has the order.
 */
const PLAN_WITHOUT_STATISTICS = "SET enable_bitmapscan = off";
/** The initial settings of the engine's session. */
const SETTINGS = `${asScript(embeddedSettings())} ${PLAN_WITHOUT_STATISTICS}`;

/**
 * Loads TimescaleDB, which the engine can't preload. In an existing directory it would be loaded by the first call that
 * needs it, and its planner hooks would be missing until then. Its second library, which reads compressed
 * chunks, would not be loaded at all, and their events would be missing from every result without an error.
 */
async function loadTimescaledb(pglite: PgliteSession): Promise<void> {
  const { rows } = await pglite.query<{ library: string }>(
    "SELECT '$libdir/timescaledb-tsl-' || extversion AS library FROM pg_extension WHERE extname = 'timescaledb'",
  );
  const [found] = rows;
  if (found === undefined) return;
  await pglite.query("SELECT public.time_bucket('1 day', now())");
  await pglite.exec(`LOAD '${found.library}'`);
}

/** The session of a transaction, for drizzle: its statements count as the transaction's. */
function guarded(session: PgliteSession, scope: Guard): PgliteSession {
  return {
    query: (text, parameters, options) => scope(text, () => session.query(text, parameters, options)),
    exec: (text) => scope(text, () => session.exec(text)),
  };
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asDatabaseError(error);
  }
}
