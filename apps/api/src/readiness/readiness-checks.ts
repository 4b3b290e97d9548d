import {
  type Database,
  NotWritableError,
  pendingMigrations,
  probeWrite,
  SchemaNewerError,
} from "@synap/database";
import type { ReadinessCheck } from "../api-context.ts";
import type { EventDestination } from "../publisher/event-api.ts";
import { NotReadyError } from "./not-ready-error.ts";

/** How long the broker may take to answer a check, in milliseconds. */
const BROKER_TIMEOUT_MS = 1_500;
/** How long the outcome of a write is taken for the present one, in milliseconds: anybody may ask, as often as they like. */
const WRITE_OUTCOME_MS = 5_000;

/** The database answers. */
export function databaseCheck(database: Database): ReadinessCheck {
  return {
    name: "database",
    check: async () => {
      await database.query("SELECT 1 AS one");
    },
  };
}

/**
 * The database has every migration of this release and none of a newer one: not so after a restore of something older,
 * or when the database behind the address is another one now.
 */
export function migrationsCheck(database: Database): ReadinessCheck {
  return {
    name: "migrations",
    check: async () => {
      const pending = await pendingMigrations(database).catch((cause: unknown) => {
        throw cause instanceof SchemaNewerError ? new NotReadyError("schema-newer", { cause }) : cause;
      });
      if (pending.length === 0) return;
      throw new NotReadyError("migrations-pending", {
        cause: new Error(`not applied: ${pending.join(", ")}`),
      });
    },
  };
}

/** The database can store something: its disk has room, and a commit goes through. Tried at most every 5 s. */
export function writeCheck(database: Pick<Database, "reads">): ReadinessCheck {
  const probe = async () => {
    // Not where writers wait for one another: a locked stream makes the database no less able to store.
    await probeWrite(database.reads).catch((cause: unknown) => {
      if (!(cause instanceof NotWritableError)) throw cause;
      throw new NotReadyError(cause.code === "DISK_FULL" ? "disk-full" : "read-only", { cause });
    });
  };
  return { name: "write", check: remembered(probe, WRITE_OUTCOME_MS) };
}

/**
 * Something answers where events are sent. Only a server's own fault counts as unreachable: `/health` exists on a
 * self-hosted Inngest, and its being unknown elsewhere still proves that someone is there.
 */
export function brokerCheck(broker: EventDestination): ReadinessCheck {
  return {
    name: "broker",
    check: async () => {
      if (broker.mode === "cloud" && broker.eventKey === undefined)
        throw new NotReadyError("broker-key-missing");
      const status = await ask(new URL("health", broker.eventBaseUrl));
      if (status < 500) return;
      throw new NotReadyError("broker-failing", {
        cause: new Error(`${broker.eventBaseUrl} answers ${status}`),
      });
    },
  };
}

/** Envelopes start a function: a worker has registered with the broker. */
export function registrationCheck(areFunctionsRegistered: () => Promise<boolean>): ReadinessCheck {
  return {
    name: "functions",
    check: async () => {
      if (!(await areFunctionsRegistered())) throw new NotReadyError("functions-not-registered");
    },
  };
}

async function ask(url: URL): Promise<number> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(BROKER_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const { cause } = error instanceof Error ? error : new Error(String(error));
    const reason = cause instanceof Error && "code" in cause ? cause.code : error;
    const fault = new Error(`nothing answers at ${url.origin} (${reason})`, { cause: error });
    throw new NotReadyError("broker-unreachable", { cause: fault });
  }
}

/** The same, but run at most once in so many milliseconds; those who ask meanwhile share the outcome. */
function remembered(run: () => Promise<void>, ms: number): () => Promise<void> {
  let last: { readonly outcome: Promise<void>; readonly at: number } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at >= ms) {
      last = { outcome: run(), at: performance.now() };
    }
    return last.outcome;
  };
}
