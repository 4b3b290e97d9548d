import { createHash } from "node:crypto";
import type { FunctionConfig } from "../registration/function-config.ts";
import { type ExpressionScope, keyOf } from "./expression.ts";

const LONGEST_KEY = 100;

/** A key short enough for an index, without the NUL that PostgreSQL's text can't hold. Equal keys stay equal. */
export function limitKey(key: string): string {
  if (key.length <= LONGEST_KEY && !key.includes("\\u0000") && !key.includes("\0")) return key;
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/**
 * The values of a function's keyed concurrency limits for one event, in the order of its limits ("" for a limit
 * without key), as JSON text; undefined when none is keyed.
 */
export function flowKeyOf(config: FunctionConfig, scope: ExpressionScope): string | undefined {
  if (!config.concurrency.some(({ key }) => key !== undefined)) return undefined;
  return JSON.stringify(
    config.concurrency.map(({ key }) => (key === undefined ? "" : limitKey(keyOf(key, scope)))),
  );
}
