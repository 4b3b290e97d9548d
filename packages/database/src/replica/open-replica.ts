import { isTimeLimit, isUnavailable, sqlState } from "../connection/database-errors.ts";
import type { Database, Transaction } from "../connection/sql-session.ts";
import { guardedLogger, type ReportLogger } from "../observers.ts";
import { readDatabaseUrl } from "../server/database-url.ts";
import { APPENDS_CHANNEL } from "../subscriptions/append-signal.ts";
import { createAnnouncements } from "./announcements.ts";
import { APPEND_POSITIONS, seeEnd, seeHorizon } from "./horizon.ts";
import { type AtPoint, neededPosition, raisePoint } from "./read-point.ts";
import { ReplicaUrlError } from "./replica-errors.ts";
import { createReplicaConnections, type ReplicaSessions } from "./replica-sessions.ts";
import { createReplicaWatch, type ReplicaState } from "./replica-watch.ts";
import { startInTime } from "./start-in-time.ts";

/** Options of a replica. */
export interface ReplicaOptions {
  /** The URL of a physical streaming replica (hot standby) of the database, or of several under one name. */
  readonly url: string;
  /** Maximum number of connections for reading. Default 10. */
  readonly maxConnections?: number | undefined;
  /** Longest time that a read waits for the replica to have replayed its point, in milliseconds. Default 100. */
  readonly maxWait?: number | undefined;
  /** Time for which the replica may be behind the primary before it is not used, in milliseconds. Default 5,000. */
  readonly maxLag?: number | undefined;
  /**
   * Time in milliseconds after which a replica that does not answer a probe is not used, and a read that has not begun there is left to
   * the primary. Default 1,000.
   */
  readonly maxSilence?: number | undefined;
  /** Maximum duration of a statement, in milliseconds. Default 30,000. */
  readonly statementTimeout?: number | undefined;
  /** Maximum wait for a connection, in milliseconds. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  /** Logs when the replica begins and ceases to be used. */
  readonly logger: ReportLogger;
}

/**
 * Why the primary answered a read: the replica was not used; it had not replayed what the read had to see; the read did not begin
 * there in time; replay cancelled it, or kept it from a lock; or the replica does not have what was asked for.
 */
export type PassedOnReason = "unused" | "behind" | "busy" | "cancelled" | "absent";

/** Numbers of reads since the start. */
export interface ReadCounts {
  /** Reads that the replica answered. */
  readonly served: number;
  /** Reads that it left to the primary, by reason. */
  readonly passedOn: Readonly<Record<PassedOnReason, number>>;
}

/** The state of a replica, with its reads. */
export interface ReplicaUse extends ReplicaState, ReadCounts {}

/** The answer to a read, if the replica has it. */
export interface Served<T> {
  readonly answer: T;
}

/**
 * Work on a replica, which has everything of the appends up to `safeNumber` and perhaps some of later ones. With undefined it leaves
 * the read to the primary.
 */
export type ReplicaWork<T> = (session: Transaction, safeNumber: number) => Promise<Served<T> | undefined>;

/** A replica of the database, for reading. */
export interface Replica {
  state(): ReplicaUse;
  /**
   * Runs work on the replica, if it is used and has everything that the read has to see. Raises the point.
   * @returns undefined if the primary has to answer
   */
  read<T>(at: AtPoint, work: ReplicaWork<T>): Promise<Served<T> | undefined>;
  /**
   * Calls back when the replica has the appends of which the primary notified.
   * @returns a function that stops listening
   */
  listen(onAppend: () => void): Promise<() => Promise<void>>;
  /** Waits for running reads (up to 5 s), then closes. */
  close(): Promise<void>;
}

/** Longest time for which a notification is held back, in milliseconds. */
const ANNOUNCE_LIMIT_MS = 250;
/** Time for running reads to finish when the replica is closed, in milliseconds. */
const CLOSING_GRACE = 5_000;

/**
 * Opens a replica of a migrated database. One that can't be reached or is behind is watched until it can be used.
 * @throws DatabaseUrlError; ReplicaUrlError when it answers and is a replica of another database
 */
export async function openReplica(primary: Database, options: ReplicaOptions): Promise<Replica> {
  const { url, maxConnections = 10, maxWait = 100, maxLag = 5_000, maxSilence = 1_000 } = options;
  const { statementTimeout = 30_000, connectTimeout = 5_000 } = options;
  readDatabaseUrl(url, "DATABASE_REPLICA_URL");
  const logger = guardedLogger(options.logger);
  const connections = createReplicaConnections(primary, {
    url,
    maxConnections,
    connectTimeout,
    statementTimeout,
    lockTimeout: maxSilence,
    probeTimeout: maxSilence,
  });
  // A new database or login may not have been replayed yet, and a process must start without its replica.
  await connections.open().catch((error: unknown) => {
    if (error instanceof ReplicaUrlError) throw error;
  });
  const watch = createReplicaWatch({
    primary,
    probe: async () => seeHorizon((await connections.open()).probes),
    maxLag,
    maxSilence,
    onChange: ({ inUse, reason }) =>
      inUse
        ? logger.info({}, "events are read from the replica at DATABASE_REPLICA_URL")
        : logger.warn({}, `events are read from the primary, not from the replica: ${reason}`),
  });
  const announcements = createAnnouncements(async () => {
    if (watch.state().inUse) await watch.reachedEnd(ANNOUNCE_LIMIT_MS);
  });

  function attempt<T>(
    { reads }: ReplicaSessions,
    { point }: AtPoint,
    number: number,
    work: ReplicaWork<T>,
  ): Promise<Served<T> | PassedOnReason | undefined> {
    return startInTime(maxSilence, (mayStart) =>
      reads.transaction(async (session) => {
        const horizon = await seeHorizon(session);
        if (!mayStart()) return "busy";
        if (!watch.saw(horizon)) return "unused";
        if (horizon.number < number) return "behind";
        const served = await work(session, horizon.number);
        const end = await seeEnd(session);
        // After a promotion it may have events that the primary will never have.
        if (!end.isStandby) {
          watch.saw({ ...horizon, isStandby: false });
          return "unused";
        }
        if (served === undefined) return "absent";
        if (point !== undefined) raisePoint(point, end.position);
        return served;
      }),
    );
  }

  async function read<T>(at: AtPoint, work: ReplicaWork<T>): Promise<Served<T> | PassedOnReason> {
    const number = Math.floor(neededPosition(at) / APPEND_POSITIONS);
    const end = performance.now() + maxWait;
    while (connections.current !== undefined && (await watch.reached(number, end - performance.now()))) {
      try {
        const result = (await attempt(connections.current, at, number, work)) ?? "busy";
        if (result !== "behind") return result;
      } catch (error) {
        if (isUnavailable(error)) {
          watch.failed(error instanceof Error ? error.message : String(error));
          return "unused";
        }
        // What the reader asked for wrongly, or takes too long, would fail on the primary too. Replay may cancel any other read.
        if (sqlState(error) === undefined || isTimeLimit(error)) throw error;
        return "cancelled";
      }
      // Of several servers under one name, this one is behind the one that was probed.
      if (performance.now() >= end) return "behind";
      await watch.look();
    }
    return watch.state().inUse ? "behind" : "unused";
  }

  let served = 0;
  const passedOn = { unused: 0, behind: 0, busy: 0, cancelled: 0, absent: 0 };
  await watch.look();
  return {
    state: () => ({ ...watch.state(), served, passedOn: { ...passedOn } }),
    async read(at, work) {
      const result = await read(at, work);
      if (typeof result === "string") {
        passedOn[result] += 1;
        return undefined;
      }
      served += 1;
      return result;
    },
    async listen(onAppend) {
      const remove = announcements.add(onAppend);
      try {
        const stop = await primary.listen(APPENDS_CHANNEL, announcements.announce);
        return async () => {
          remove();
          await stop();
        };
      } catch (error) {
        remove();
        throw error;
      }
    },
    async close() {
      watch.close();
      await connections.close(CLOSING_GRACE);
    },
  };
}
