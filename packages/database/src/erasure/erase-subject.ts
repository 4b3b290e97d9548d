import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { appendBatchIn } from "../append/append-events.ts";
import type { Database, Transaction } from "../connection/sql-session.ts";
import type { ErasureLedger } from "../personal-data/erasure-ledger.ts";
import { KEPT_MS } from "../personal-data/subject-keys.ts";
import { NothingToEraseError, SubjectHeldError } from "./erasure-errors.ts";
import { ERASURE_EVENT_TYPE, erasureCatalogue } from "./erasure-event.ts";

/** An erasure: whose data, why, and the actor. */
export interface ErasureRequest {
  readonly subject: string;
  /** Why, 1 to 1,000 characters. It stays in the log. */
  readonly reason: string;
  /** The actor, as in `createdBy` of an event. */
  readonly by: string;
}

/** Parts of an erasure that are not in the database. */
export interface ErasureOptions {
  readonly ledger: ErasureLedger;
  /** Milliseconds for which processes may still have a destroyed key. Default: as long as they keep keys; 0 on an embedded database. */
  readonly keptMs?: number;
}

/** An erasure whose keys are destroyed, and that the log records. */
export interface Erasure {
  readonly id: string;
  readonly subject: string;
  /** Position of the event that records it. */
  readonly position: number;
}

interface ErasureRow {
  readonly id: string;
  readonly subject: string;
  readonly erased_by: string;
  readonly reason: string;
  readonly is_destroyed: boolean;
  readonly position: number | null;
}

const COLUMNS = `id, subject, erased_by, reason, destroyed_at IS NOT NULL AS is_destroyed, "position"`;

/**
 * Erases the personal data of a subject: writes it into the ledger, destroys its key, removes dead letters and failures about its events,
 * and appends `subject.erased`. The workers then build the read models anew that may have its data, and call `eraseSubject` of handlers.
 *
 * An interruption between two steps does no harm: `continueErasures` does the rest.
 *
 * @throws SubjectHeldError, NothingToEraseError; then nothing was changed
 */
export async function eraseSubject(
  database: Database,
  { subject, reason, by }: ErasureRequest,
  options: ErasureOptions,
): Promise<Erasure> {
  const row = await database.asOwner(async (owner) => {
    const [begun] = await owner.query<ErasureRow>(
      `SELECT ${COLUMNS} FROM synap.erasures WHERE subject = $1`,
      [subject],
    );
    if (begun !== undefined && begun.position !== null)
      throw new NothingToEraseError(`The data of "${subject}" is erased already.`);
    if (begun !== undefined) return begun;
    await refuseHeld(owner, subject);
    const [key] = await owner.query("SELECT FROM synap.subject_keys WHERE subject = $1", [subject]);
    if (key === undefined) throw new NothingToEraseError(`No personal data of "${subject}" was ever sealed.`);
    const [made] = await owner.query<ErasureRow>(
      `INSERT INTO synap.erasures (id, subject, erased_by, reason) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`,
      [randomUUID(), subject, by, reason],
    );
    return made;
  });
  if (row === undefined) throw new Error("The erasure was not recorded.");
  return finish(database, row, options);
}

/**
 * Does the rest of the erasures that were interrupted.
 *
 * @returns those that were finished
 * @throws SubjectHeldError for one that is on hold, after the others were finished
 */
export async function continueErasures(database: Database, options: ErasureOptions): Promise<Erasure[]> {
  const rows = await database.asOwner((owner) =>
    owner.query<ErasureRow>(
      `SELECT ${COLUMNS} FROM synap.erasures WHERE "position" IS NULL ORDER BY begun_at`,
    ),
  );
  const finished: Erasure[] = [];
  let held: SubjectHeldError | undefined;
  for (const row of rows) {
    try {
      finished.push(await finish(database, row, options));
    } catch (error) {
      if (!(error instanceof SubjectHeldError)) throw error;
      held ??= error;
    }
  }
  if (held !== undefined) throw held;
  return finished;
}

async function finish(database: Database, row: ErasureRow, options: ErasureOptions): Promise<Erasure> {
  const { ledger } = options;
  if (!row.is_destroyed) await database.asOwner((owner) => destroyKey(owner, row.subject, ledger));
  // A process that still has the key could write into a read model that is built after the last one to be replaced.
  const keptMs = options.keptMs ?? (database.engine === "embedded" ? 0 : KEPT_MS + 5_000);
  if (keptMs > 0) await sleep(keptMs);
  return await database.asOwner((owner) => removeCopies(owner, row));
}

async function refuseHeld(owner: Transaction, subject: string): Promise<void> {
  const [hold] = await owner.query<{ by: string; reason: string }>(
    "SELECT held_by AS by, reason FROM synap.subject_holds WHERE subject = $1",
    [subject],
  );
  if (hold !== undefined) throw new SubjectHeldError(subject, hold);
}

async function destroyKey(owner: Transaction, subject: string, ledger: ErasureLedger): Promise<void> {
  // A hold comes before this, and is kept, or after the subject is in the ledger, and is refused.
  await owner.query("LOCK TABLE synap.subject_holds IN SHARE MODE");
  await refuseHeld(owner, subject);
  // Before the key is destroyed, so that no backup that is made from here on brings it back.
  await ledger.add(subject);
  await owner.query(
    `UPDATE synap.subject_keys SET wrapped_key = NULL, destroyed_at = clock_timestamp()
      WHERE subject = $1 AND wrapped_key IS NOT NULL`,
    [subject],
  );
  await owner.query("UPDATE synap.erasures SET destroyed_at = clock_timestamp() WHERE subject = $1", [
    subject,
  ]);
}

// The events in dead letters are sealed, but the texts of failures may repeat what a handler has read.
const REMOVE_FAILURES = `
WITH about AS MATERIALIZED (
  SELECT d.id, d.event_id FROM synap.dead_letters AS d
   WHERE strpos(d.event::text, to_json($1::text)::text) > 0
), released AS (
  UPDATE synap.dead_letters AS d SET reason = 'erased' FROM about AS a WHERE d.id = a.id
)
UPDATE synap.handler_failures AS f SET reason = 'erased' WHERE f.event_id IN (SELECT a.event_id FROM about AS a)`;

async function removeCopies(owner: Transaction, row: ErasureRow): Promise<Erasure> {
  const { id, subject, erased_by: by, reason } = row;
  const [now] = await owner.query<{ position: number | null }>(
    `SELECT "position" FROM synap.erasures WHERE id = $1 FOR UPDATE`,
    [id],
  );
  if (now?.position != null) return { id, subject, position: now.position };
  await owner.query(REMOVE_FAILURES, [subject]);
  const event = erasureCatalogue.createSynapEvent({
    type: ERASURE_EVENT_TYPE,
    aggregateId: id,
    createdBy: by,
    source: "erasure",
    data: { erasure: id, subject, reason },
  });
  const [appended] = await appendBatchIn(owner, [event], undefined);
  if (appended?.outcome.status !== "stored") throw new Error(`The event of erasure ${id} was not stored.`);
  const { position } = appended.outcome;
  await owner.query(REPLACE_READ_MODELS, [id, position, by, reason, subject]);
  await owner.query(
    `UPDATE synap.erasures SET erased_at = clock_timestamp(), "position" = $2 WHERE id = $1`,
    [id, position],
  );
  return { id, subject, position };
}

// The types whose schema, in whichever version, has a personal field.
const REPLACE_READ_MODELS = `
INSERT INTO synap.purges (id, removed_at, up_to, "position", last_build, purged_by, reason, event_types, erased_subject)
SELECT $1, clock_timestamp(), $2, $2, s.last_value, $3, $4,
       ARRAY(
         SELECT t.name FROM synap.event_types AS t
          WHERE t.json_schema::text ~ '"personal"\\s*:\\s*[{]' OR t.earlier::text ~ '"personal"\\s*:\\s*[{]'
          ORDER BY t.name
       ), $5
  FROM synap.projection_build_numbers AS s`;

/**
 * Destroys the keys that a restored backup has brought back, by the ledger.
 * @returns the number of keys
 */
export async function applyLedger(database: Database, ledger: ErasureLedger): Promise<number> {
  const hashes = [...(await ledger.read())];
  if (hashes.length === 0) return 0;
  const destroyed = await database.asOwner((owner) =>
    owner.query(
      `UPDATE synap.subject_keys SET wrapped_key = NULL, destroyed_at = clock_timestamp()
        WHERE wrapped_key IS NOT NULL
          AND encode(sha256(convert_to('synap erased ' || subject, 'UTF8')), 'hex')
              = ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))
       RETURNING subject`,
      [JSON.stringify(hashes)],
    ),
  );
  return destroyed.length;
}
