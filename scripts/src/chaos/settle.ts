import { setTimeout as sleep } from "node:timers/promises";
import { createSynapClient } from "@synap/client";
import type { Database } from "@synap/database";
import { isCaughtUp, readProgress } from "../processes/progress.ts";
import { countRows } from "../stress/store-laws.ts";
import type { Ledger } from "./ledger.ts";

/**
 * The longest time without progress, in milliseconds. It ends what hangs: what is not stored by then is reported as lost. A broker
 * that still hands over a long queue makes progress, and is waited for.
 */
const NO_PROGRESS_MS = 300_000;
/** Attempts to get a definite response for what was left without one. */
const RESENDS = 20;

/**
 * Sends every event without a response again, as its client would, now that everything works. One that is refused now stays
 * unknown, as an attempt before may have stored it, and is not sent once more: the response would be the same.
 */
export async function sendUnknownAgain(ledger: Ledger): Promise<void> {
  for (let attempt = 0; attempt < RESENDS; attempt += 1) {
    const unanswered = [...ledger.entries()].filter(({ isUnanswered }) => isUnanswered);
    const waiting = unanswered.slice(0, 5_000);
    for (let from = 0; from < waiting.length; from += 20) {
      await Promise.all(waiting.slice(from, from + 20).map(({ resend }) => resend()));
    }
    if (waiting.length === 0) return;
    await sleep(100);
  }
}

/** Result of waiting for the workers. */
export interface Settled {
  /** Dead letters that were retried with success. */
  readonly recoveredDeadLetters: number;
  /** Envelopes that the broker still had to hand over when the wait ended. */
  readonly envelopesInBroker: number;
}

/**
 * Waits until everything accepted is stored and every handler has handled it. Accepted events that became dead letters,
 * for example because a worker's clock was wrong, are retried, as an operator would.
 */
export async function settle(
  database: Database,
  { apiUrl, token }: { readonly apiUrl: string; readonly token: string },
  ledger: Ledger,
): Promise<Settled> {
  let recoveredDeadLetters = 0;
  let fewestLeft = Number.POSITIVE_INFINITY;
  let deadline = performance.now() + NO_PROGRESS_MS;
  while (performance.now() < deadline) {
    recoveredDeadLetters += await retryOpenDeadLetters(database, apiUrl, token);
    // Which events are missing takes a comparison with the whole log: it is made when nothing is on its way any more.
    const queued = await countEnvelopes(database);
    const missing = queued > 0 ? undefined : await countMissing(database, ledger);
    if (missing === 0 && (await hasCaughtUp(apiUrl))) break;
    const left = queued + (missing ?? ledger.size);
    if (left < fewestLeft) {
      fewestLeft = left;
      deadline = performance.now() + NO_PROGRESS_MS;
    }
    await sleep(500);
  }
  return { recoveredDeadLetters, envelopesInBroker: await countEnvelopes(database) };
}

const OPEN_ENVELOPES =
  "SELECT FROM inngest_local.runs WHERE status = 'open' AND function_id LIKE '%-ingest-events'";

function countEnvelopes(database: Database): Promise<number> {
  return database.asOwner((owner) => countRows(owner, OPEN_ENVELOPES));
}

async function countMissing(database: Database, ledger: Ledger): Promise<number> {
  const rows = await database.query<{ id: string }>("SELECT id::text AS id FROM synap.event_ids");
  const stored = new Set(rows.map(({ id }) => id));
  const keyed = await database.query<{ key: string }>(
    "SELECT DISTINCT idempotency_key AS key FROM synap.events WHERE idempotency_key IS NOT NULL",
  );
  const keys = new Set(keyed.map(({ key }) => key));
  let missing = 0;
  for (const { event, outcome } of ledger.entries()) {
    const isThere = stored.has(event.id) || keys.has(event.idempotencyKey ?? "");
    if (outcome === "accepted" && !isThere) missing += 1;
  }
  return missing;
}

const OPEN_DEAD_LETTERS = "SELECT id FROM synap.dead_letters WHERE status = 'open' ORDER BY id";

export async function countOpenDeadLetters(database: Database): Promise<number> {
  return countRows(database, OPEN_DEAD_LETTERS);
}

async function hasCaughtUp(apiUrl: string): Promise<boolean> {
  const progress = await readProgress(apiUrl);
  return progress !== undefined && isCaughtUp(progress);
}

async function retryOpenDeadLetters(database: Database, apiUrl: string, token: string): Promise<number> {
  const deadLetters = await database.query<{ id: number }>(OPEN_DEAD_LETTERS);
  if (deadLetters.length === 0) return 0;
  const client = createSynapClient({ url: apiUrl, token });
  // What can't be retried yet is retried in the next round.
  for (const { id } of deadLetters) await client.admin.retryDeadLetter(id).catch(() => undefined);
  return deadLetters.length - (await countOpenDeadLetters(database));
}
