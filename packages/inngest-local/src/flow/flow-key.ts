import { createHash } from "node:crypto";
import { findTextFault } from "../queue/text-fault.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import { type ExpressionScope, keyOf } from "./expression.ts";

const LONGEST_KEY = 100;

/** A key short enough for an index, without what a text column can't hold. Equal keys stay equal, and others different. */
export function limitKey(key: string): string {
  if (key.length <= LONGEST_KEY && !key.includes("\\u0000") && findTextFault(key) === undefined) return key;
  // In UTF-8 all halves of surrogate pairs would be the same.
  return `sha256:${createHash("sha256").update(key, "utf16le").digest("hex")}`;
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
