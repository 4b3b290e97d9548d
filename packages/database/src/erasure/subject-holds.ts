import type { Database, SqlSession } from "../connection/sql-session.ts";
import { type ErasureLedger, ledgerHash } from "../personal-data/erasure-ledger.ts";
import type { ErasureRequest } from "./erase-subject.ts";
import { NothingToEraseError } from "./erasure-errors.ts";

/**
 * Puts the data of a subject on hold: it can't be erased until it is released. A second hold replaces the first.
 *
 * @param ledger an interrupted erasure that it has can't be held back any more
 * @throws NothingToEraseError when the data is erased already; then it is not on hold
 */
export async function holdSubject(
  database: Database,
  { subject, reason, by }: ErasureRequest,
  ledger: Pick<ErasureLedger, "read">,
): Promise<void> {
  await database.asOwner(async (owner) => {
    await owner.query(
      `INSERT INTO synap.subject_holds (subject, held_by, reason) VALUES ($1, $2, $3)
       ON CONFLICT (subject) DO UPDATE SET held_by = $2, reason = $3, held_at = clock_timestamp()`,
      [subject, by, reason],
    );
    const [destroyed] = await owner.query(
      "SELECT FROM synap.erasures WHERE subject = $1 AND destroyed_at IS NOT NULL",
      [subject],
    );
    // Read after the insert, which waits for an erasure that is writing into the ledger.
    const isErased = destroyed !== undefined || (await ledger.read()).has(ledgerHash(subject));
    if (isErased) throw new NothingToEraseError(`The data of "${subject}" is erased already.`);
  });
}

/** Ends the hold of a subject. @throws NothingToEraseError when there is none */
export async function releaseSubject(database: Database, subject: string): Promise<void> {
  const released = await database.asOwner((owner) =>
    owner.query("DELETE FROM synap.subject_holds WHERE subject = $1 RETURNING subject", [subject]),
  );
  if (released.length === 0) throw new NothingToEraseError(`The data of "${subject}" is not on hold.`);
}

/** The key of a subject, its hold and its erasure. Moments are RFC 3339. */
export interface SubjectStatus {
  readonly subject: string;
  readonly key: "none" | "kept" | "destroyed";
  readonly hold?: { readonly by: string; readonly reason: string };
  /** `finished` when the log records it; the workers may still be replacing read models: see `status`. */
  readonly erasure?: {
    readonly id: string;
    readonly by: string;
    readonly reason: string;
    readonly finished: boolean;
  };
}

/** Reads what is recorded about a subject. */
export async function subjectStatus(session: SqlSession, subject: string): Promise<SubjectStatus> {
  const [key] = await session.query<{ is_kept: boolean }>(
    "SELECT wrapped_key IS NOT NULL AS is_kept FROM synap.subject_keys WHERE subject = $1",
    [subject],
  );
  const [hold] = await session.query<{ by: string; reason: string }>(
    "SELECT held_by AS by, reason FROM synap.subject_holds WHERE subject = $1",
    [subject],
  );
  const [erasure] = await session.query<NonNullable<SubjectStatus["erasure"]>>(
    `SELECT id, erased_by AS by, reason, "position" IS NOT NULL AS finished FROM synap.erasures WHERE subject = $1`,
    [subject],
  );
  return {
    subject,
    key: key === undefined ? "none" : key.is_kept ? "kept" : "destroyed",
    ...(hold !== undefined && { hold }),
    ...(erasure !== undefined && {
      erasure,
    }),
  };
}
