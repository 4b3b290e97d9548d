import type { JsonValue } from "../json/json.ts";

/** A personal value as it is stored. The key in front of the text is no field that an application's schema has at this place. */
export interface SealedValue {
  /** Version of the form, a dot, and the bytes as base64url. */
  readonly $sealed: string;
  /** The subject whose data it is, and whose key opens it. */
  readonly subject: string;
  /** Equal for equal values of a field that can be looked up; absent elsewhere. */
  readonly pseudonym?: string;
}

/** The form of `$sealed` in this release. */
const SEALED_FORM = /^1\.[A-Za-z0-9_-]{38,}$/;
/** The form of `pseudonym` in this release. */
const PSEUDONYM_FORM = /^1\.[A-Za-z0-9_-]{22}$/;

/** True for a value that has the form of a sealed one. Whether its key opens it is another matter. */
export function isSealedValue(value: unknown): value is SealedValue & { [field: string]: JsonValue } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const {
    $sealed,
    subject,
    pseudonym,
    ...others
  }: { $sealed?: unknown; subject?: unknown; pseudonym?: unknown } = value;
  return (
    typeof $sealed === "string" &&
    SEALED_FORM.test($sealed) &&
    typeof subject === "string" &&
    (pseudonym === undefined || (typeof pseudonym === "string" && PSEUDONYM_FORM.test(pseudonym))) &&
    Object.keys(others).length === 0
  );
}
