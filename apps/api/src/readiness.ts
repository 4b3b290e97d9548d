import { type Database, pendingMigrations } from "@synap/database";
import type { ReadinessCheck } from "./api-context.ts";
import type { EventDestination } from "./publisher/event-api.ts";

/** How long the broker may take to answer a check, in milliseconds. */
const BROKER_TIMEOUT_MS = 1_500;

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
      const pending = await pendingMigrations(database);
      if (pending.length > 0) throw new Error(`not applied: ${pending.join(", ")}`);
    },
  };
}

/**
 * Something answers where events are sent. Only a server's own fault counts as unreachable: `/health` exists on a
 * self-hosted Inngest, and its being unknown elsewhere still proves that someone is there.
 */
export function brokerCheck(broker: EventDestination): ReadinessCheck {
  return {
    name: "broker",
    check: async () => {
      if (broker.mode === "cloud" && broker.eventKey === undefined) {
        throw new Error(
          "INNGEST_EVENT_KEY is not set, and INNGEST_DEV does not say that this is a development server",
        );
      }
      const status = await ask(new URL("health", broker.eventBaseUrl));
      if (status >= 500) throw new Error(`${broker.eventBaseUrl} answers ${status}`);
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
    throw new Error(`nothing answers at ${url.origin} (${reason})`, { cause: error });
  }
}
