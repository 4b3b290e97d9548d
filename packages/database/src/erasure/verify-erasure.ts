import { isoFromJson } from "../connection/moments.ts";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import { type ErasureLedger, ledgerHash } from "../personal-data/erasure-ledger.ts";
import { type OnScanProgress, type ScannedTable, type SoughtText, scanTables } from "./scan-tables.ts";

/** The subject whose erasure is verified, and texts about it that nothing may have any more. */
export interface ErasureVerification {
  readonly subject: string;
  /** Such as the subject's e-mail address. */
  readonly canaries: readonly string[];
  readonly ledger: Pick<ErasureLedger, "name" | "read">;
  readonly onProgress?: OnScanProgress | undefined;
}

/** The kinds of what can be left of a subject. */
export type ErasureFaultKind =
  | "canary-found"
  | "key-exists"
  | "sealed-with-key"
  | "not-erased"
  | "not-in-ledger"
  | "read-models-not-replaced"
  | "table-not-read";

/** Something that is left of a subject, or that an erasure has not done. It has no value of anybody. */
export interface ErasureFault {
  readonly kind: ErasureFaultKind;
  readonly table?: string;
  readonly column?: string;
  readonly rows?: number;
  /** Number of the canary, from 1 in the order in which they were given. */
  readonly canary?: number;
}

/** The steps of an erasure with their times, as far as they are done. Times are RFC 3339. */
export interface ErasureSteps {
  readonly id: string;
  readonly begunAt: string;
  readonly keyDestroyedAt?: string;
  /** When the event that records it was appended, and its position. */
  readonly recordedAt?: string;
  readonly position?: number;
  /** When every read model was replaced, and `eraseSubject` of each handler was called. */
  readonly readModelsReplacedAt?: string;
}

/** The result of a verification. It has no personal values, and the subject as in the ledger. */
export interface ErasureReport {
  readonly verifiedAt: string;
  /** The subject as a hash: SHA-256 of `synap erased ` and its name, in hexadecimal digits. */
  readonly subjectHash: string;
  readonly isErased: boolean;
  readonly erasure?: ErasureSteps;
  readonly inLedger: boolean;
  readonly canaries: number;
  readonly rows: number;
  readonly tables: readonly ScannedTable[];
  readonly faults: readonly ErasureFault[];
}

/** The length of a canary, in characters: a shorter one is in nearly everything. */
export const MIN_CANARY = 4;
/** The most canaries of a verification. */
export const MAX_CANARIES = 20;

const SEALED = "sealed";

/**
 * Verifies that nothing is left of a subject: searches every table of the database for canaries, and for values that are sealed with a key
 * that still exists, and checks that each step of its erasure is done. Changes nothing.
 *
 * @throws RangeError for canaries out of bounds
 */
export async function verifyErasure(
  database: Database,
  { subject, canaries, ledger, onProgress }: ErasureVerification,
): Promise<ErasureReport> {
  if (canaries.length > MAX_CANARIES || canaries.some((canary) => canary.length < MIN_CANARY))
    throw new RangeError(
      `A verification takes at most ${MAX_CANARIES} canaries of at least ${MIN_CANARY} characters.`,
    );
  const { tables, refused, found } = await search(database, { subject, canaries, onProgress });
  // After the search, which may take long.
  const { verifiedAt, keyExists, erasure } = await database.asOwner((owner) => readSteps(owner, subject));
  const inLedger = (await ledger.read()).has(ledgerHash(subject));
  // A restored database may not know of the erasure that the ledger has.
  const isRecorded = erasure === undefined ? inLedger : erasure.position !== undefined;
  const isErased = !keyExists && isRecorded;
  const faults: ErasureFault[] = [
    ...(keyExists ? [{ kind: "key-exists" as const }] : []),
    ...found.flatMap(({ name, table, column, rows }): ErasureFault[] => {
      if (name !== SEALED) return [{ kind: "canary-found", table, column, rows, canary: Number(name) }];
      return keyExists ? [{ kind: "sealed-with-key", table, column, rows }] : [];
    }),
    ...(isErased ? [] : [{ kind: "not-erased" as const }]),
    ...(erasure?.keyDestroyedAt !== undefined && !inLedger ? [{ kind: "not-in-ledger" as const }] : []),
    ...(erasure?.position !== undefined && erasure.readModelsReplacedAt === undefined
      ? [{ kind: "read-models-not-replaced" as const }]
      : []),
    ...refused.map((table) => ({ kind: "table-not-read" as const, table })),
  ];
  return {
    verifiedAt,
    subjectHash: ledgerHash(subject),
    isErased,
    ...(erasure !== undefined && { erasure }),
    inLedger,
    canaries: canaries.length,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    tables,
    faults,
  };
}

async function search(
  database: Database,
  { subject, canaries, onProgress }: Pick<ErasureVerification, "subject" | "canaries" | "onProgress">,
) {
  const named = JSON.stringify(subject);
  const sealed: SoughtText = {
    name: SEALED,
    // As jsonb prints it, and as JavaScript does.
    anyOf: ["", " "].map((space) => ['"$sealed":', `"subject":${space}${named}`]),
  };
  const sought = canaries.map(
    (canary, index): SoughtText => ({
      name: String(index + 1),
      anyOf: [...new Set(formsOf(canary))].map((form) => [form]),
    }),
  );
  const { scanned, refused, found } = await scanTables(database, [sealed, ...sought], onProgress);
  return { tables: scanned, refused, found };
}

/** A text as it is, and as JSON has it: with and without escapes for what is not ASCII. */
function formsOf(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replaceAll(
    /[^\0-~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return [text, json, ascii];
}

interface StepsRow {
  readonly verified_at: string;
  readonly key_exists: boolean;
  readonly id: string | null;
  readonly begun_at: string;
  readonly destroyed_at: string | null;
  readonly erased_at: string | null;
  readonly position: number | null;
  readonly finished_at: string | null;
}

const STEPS = `
SELECT to_json(clock_timestamp()::timestamptz(3)) #>> '{}' AS verified_at,
       EXISTS (SELECT FROM synap.subject_keys WHERE subject = $1 AND wrapped_key IS NOT NULL) AS key_exists,
       e.id, to_json(e.begun_at) #>> '{}' AS begun_at, to_json(e.destroyed_at) #>> '{}' AS destroyed_at,
       to_json(e.erased_at) #>> '{}' AS erased_at, e."position", to_json(p.finished_at) #>> '{}' AS finished_at
  FROM (SELECT) AS one
  LEFT JOIN synap.erasures AS e ON e.subject = $1
  LEFT JOIN synap.purges AS p ON p.id = e.id`;

async function readSteps(session: SqlSession, subject: string) {
  const [row] = await session.query<StepsRow>(STEPS, [subject]);
  if (row === undefined) throw new Error("The query of the erasure returned no row.");
  const erasure: ErasureSteps | undefined =
    row.id === null
      ? undefined
      : {
          id: row.id,
          begunAt: isoFromJson(row.begun_at),
          ...(row.destroyed_at !== null && { keyDestroyedAt: isoFromJson(row.destroyed_at) }),
          ...(row.erased_at !== null && { recordedAt: isoFromJson(row.erased_at) }),
          ...(row.position !== null && { position: row.position }),
          ...(row.finished_at !== null && { readModelsReplacedAt: isoFromJson(row.finished_at) }),
        };
  return { verifiedAt: isoFromJson(row.verified_at), keyExists: row.key_exists, erasure };
}
