const PLAIN_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for a UUID as it is stored: in lower case, of a version and a variant that RFC 9562 has. */
export function isPlainUuid(value: unknown): value is string {
  return typeof value === "string" && PLAIN_UUID.test(value);
}
