import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { EventCatalogue } from "@synap/types";
import type { SqlSession } from "../connection/sql-session.ts";
import { guardedLogger, type ReportLogger } from "../observers.ts";
import { RELEASE } from "../release.ts";
import { type CatalogueDifference, fingerprintCatalogue } from "./catalogue-fingerprint.ts";
import {
  ALIVE_SECONDS,
  announceProcess,
  otherProcesses,
  type ProcessRole,
  type RunningProcess,
  withdrawProcess,
} from "./running-processes.ts";

export interface PresenceOptions {
  readonly database: SqlSession;
  readonly role: ProcessRole;
  readonly catalogue: Pick<EventCatalogue, "types">;
  /** The logger for changes. */
  readonly logger: ReportLogger;
  /** Heartbeat interval in milliseconds. Default 5,000. */
  readonly intervalMs?: number | undefined;
  /** Called after each heartbeat; its errors are logged, once until it works again. */
  readonly onBeat?: (() => Promise<unknown>) | undefined;
}

/** The presence of this process among the running ones. */
export interface ProcessPresence {
  readonly instance: string;
  /** The other processes as last seen, at most {@link ALIVE_SECONDS} ago; empty when unknown. */
  others(): readonly RunningProcess[];
  /** Reads the other processes now. @throws DatabaseUnavailableError */
  look(): Promise<readonly RunningProcess[]>;
  /** Stops, and removes this process from the running ones. Never rejects. */
  close(): Promise<void>;
}

const INTERVAL_MS = 5_000;

/**
 * Announces this process and its catalogue to the others and watches theirs. A difference is logged when it
 * begins, changes and ends. Resolves after the first heartbeat; while the database is unavailable it keeps
 * trying.
 */
export async function startPresence(options: PresenceOptions): Promise<ProcessPresence> {
  const { database, role, intervalMs = INTERVAL_MS, onBeat } = options;
  const logger = guardedLogger(options.logger);
  const announcement = {
    instance: `${role}@${hostname()}:${process.pid}#${randomBytes(2).toString("hex")}`,
    role,
    release: RELEASE,
    catalogue: fingerprintCatalogue(options.catalogue),
  };
  let others: readonly RunningProcess[] = [];
  let seenAt = Number.NEGATIVE_INFINITY;
  let logged = "";
  let isFailing = false;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> = Promise.resolve();
  let isClosed = false;

  async function look(): Promise<readonly RunningProcess[]> {
    const asked = performance.now();
    others = await otherProcesses(database, announcement);
    seenAt = asked;
    logChange();
    return others;
  }

  function logChange(): void {
    const differing = others.filter(({ difference }) => difference !== undefined);
    const described = differing.map(describeDifference).join("; ");
    if (described === logged) return;
    logged = described;
    if (described === "") {
      logger.info(
        { instance: announcement.instance },
        "all running processes know the same event types again",
      );
    } else {
      const fields = { instance: announcement.instance, differing };
      logger.warn(fields, `the event types of running processes differ: ${described}`);
    }
  }

  async function beat(): Promise<void> {
    try {
      await announceProcess(database, announcement);
      await look();
      await onBeat?.();
      isFailing = false;
    } catch (error) {
      if (!isFailing && !isClosed) {
        logger.warn({ err: error }, "this process could not announce itself; trying again");
      }
      isFailing = true;
    }
  }

  function schedule(): void {
    if (isClosed) return;
    timer = setTimeout(() => {
      beating = beat().finally(schedule);
    }, intervalMs);
    timer.unref();
  }

  await beat();
  schedule();
  return {
    instance: announcement.instance,
    others: () => (performance.now() - seenAt > ALIVE_SECONDS * 1_000 ? [] : others),
    look,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await beating;
      // If the database is unavailable too, the row expires.
      await withdrawProcess(database, announcement.instance).catch(() => undefined);
    },
  };
}

/** Describes the differences of a process's event types. */
export function describeDifference({
  instance,
  difference,
}: Pick<RunningProcess, "instance"> & { readonly difference?: CatalogueDifference | undefined }): string {
  const { missingThere = [], missingHere = [], different = [] } = difference ?? {};
  const parts = [
    ...(missingThere.length > 0 ? [`does not know ${list(missingThere)}`] : []),
    ...(missingHere.length > 0 ? [`knows ${list(missingHere)}, which this process does not`] : []),
    ...(different.length > 0 ? [`has another schema of ${list(different)}`] : []),
  ];
  return `${instance} ${parts.join(" and ")}`;
}

const MAX_NAMED = 20;

function list(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return `${names.slice(0, MAX_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
