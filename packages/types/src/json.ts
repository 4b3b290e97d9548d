/** Any value JSON can carry. */
export type JsonValue = string | number | boolean | null | JsonObject | JsonValue[];

/**
 * A JSON object. A field that is `undefined` counts as absent, as it does for `JSON.stringify`, so that optional
 * fields can be passed on without a condition around each.
 */
export interface JsonObject {
  [field: string]: JsonValue | undefined;
}
