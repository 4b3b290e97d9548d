/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonObject | JsonValue[];

/**
 * A JSON object. An undefined field counts as absent, as it does for `JSON.stringify`, so that optional
 * fields can be passed on without a condition for each.
 */
export interface JsonObject {
  [field: string]: JsonValue | undefined;
}
