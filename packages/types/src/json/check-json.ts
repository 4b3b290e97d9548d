import { type EventIssue, MAX_ISSUES } from "../issues/event-issue.ts";
import { formatPath } from "../issues/issue-path.ts";
import { findTextFault } from "../issues/text-fault.ts";

/** Default maximum nesting of objects and arrays; the outermost one counts as 1. */
export const DEFAULT_MAX_DEPTH = 32;

/**
 * Default maximum number of values, objects and arrays included. A schema creates an
 * issue for every bad item: the millions that fit into five megabytes would cost seconds and gigabytes.
 */
export const DEFAULT_MAX_VALUES = 50_000;

/** The limits of `checkJson`. */
export interface JsonLimits {
  /** Maximum nesting of objects and arrays, the outermost counting as 1. Default 32. */
  readonly maxDepth?: number | undefined;
  /** Maximum total number of values, objects and arrays included. Default 50,000. */
  readonly maxValues?: number | undefined;
  /** Prefix for the path of every issue: `["data"]` gives `data.content`. Default none. */
  readonly at?: readonly PropertyKey[] | undefined;
}

/** A container being walked, and the progress in it. `keys` is undefined for an array. */
interface Frame {
  readonly container: object;
  readonly keys: readonly string[] | undefined;
  readonly size: number;
  next: number;
}

/**
 * Finds everything in `value` that JSON and PostgreSQL's jsonb would not keep unchanged.
 *
 * Codes: `too-deep` and `too-many-values` (which end the walk), `nul-character`, `lone-surrogate`, `non-finite-number`,
 * `unsafe-integer` (beyond 2^53-1), `prototype-key` (a field named `__proto__`), `to-json-key` (one named `toJSON`),
 * `not-json` (a function, a Date, a bigint ...). A field that is undefined counts as absent. At most 100 issues are reported. Walks with an explicit stack instead of recursing,
 * so no input overflows the call stack; a cycle ends as `too-deep`.
 */
export function checkJson(value: unknown, limits: JsonLimits = {}): EventIssue[] {
  return examineJson(value, limits).issues;
}

/** The findings of `examineJson`. */
export interface JsonExamination {
  readonly issues: EventIssue[];
  /** Upper bound on the bytes of its JSON, with numbers as JavaScript writes them. Several times the real size. */
  readonly maxBytes: number;
  /** Number of additional characters its numbers take when written out in full, without exponents. */
  readonly extraDigits: number;
}

/** Does what `checkJson` does and bounds the value's size: measuring exactly would cost more than the check. */
export function examineJson(value: unknown, limits: JsonLimits = {}): JsonExamination {
  const walk = new Walk(limits);
  walk.run(value);
  return walk;
}

/** Maximum bytes of JSON for one UTF-16 unit: `\u0001`. */
const MAX_BYTES_A_UNIT = 6;
/** Maximum bytes of a value apart from text: quotes, colon, comma, brackets, `false`, or any number. */
const MAX_BYTES_A_VALUE = 32;

/** Number of additional characters when a number is written out in full: `1.5e-7` is `0.00000015` in PostgreSQL. */
function extraDigitsOf(value: number): number {
  if (value === 0 || Math.abs(value) >= 1e-6) return 0;
  const text = String(Math.abs(value));
  const [mantissa = "", exponent = "0"] = text.split("e-");
  const digits = mantissa.replace(".", "").length;
  return "0.".length + (Number(exponent) - 1) + digits - text.length;
}

class Walk implements JsonExamination {
  readonly issues: EventIssue[] = [];
  maxBytes = 0;
  extraDigits = 0;
  private readonly frames: Frame[] = [];
  private readonly maxDepth: number;
  private readonly maxValues: number;
  private readonly at: readonly PropertyKey[];

  constructor(limits: JsonLimits) {
    this.maxDepth = limits.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.maxValues = limits.maxValues ?? DEFAULT_MAX_VALUES;
    this.at = limits.at ?? [];
  }

  run(root: unknown): void {
    let values = 1;
    this.visit(root);
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      if (this.issues.length >= MAX_ISSUES) return;
      if (frame.next >= frame.size) {
        this.frames.pop();
      } else if (values >= this.maxValues) {
        this.frames.length = 0;
        this.report("too-many-values", `holds more than ${this.maxValues} values`);
      } else {
        values += 1;
        this.visit(this.enterNext(frame));
      }
    }
  }

  private enterNext(frame: Frame): unknown {
    const key = frame.keys === undefined ? frame.next : frame.keys[frame.next];
    frame.next += 1;
    if (typeof key === "string") this.checkKey(key);
    const child: unknown = key === undefined ? undefined : Reflect.get(frame.container, key);
    // JSON.stringify omits an undefined field but turns an undefined array item into null: only the former is harmless.
    if (child === undefined && frame.keys !== undefined) return null;
    return child;
  }

  private checkKey(key: string): void {
    this.maxBytes += key.length * MAX_BYTES_A_UNIT;
    if (key === "__proto__") this.report("prototype-key", "a field may not be named __proto__");
    // JSON.stringify would call it, and Inngest's SDK does not verify the signature of a body with one.
    if (key === "toJSON") this.report("to-json-key", "a field may not be named toJSON");
    const fault = findTextFault(key);
    if (fault !== undefined) this.report(fault.code, `the field's name ${fault.reason}`);
  }

  private visit(value: unknown): void {
    this.maxBytes += MAX_BYTES_A_VALUE;
    switch (typeof value) {
      case "string": {
        this.maxBytes += value.length * MAX_BYTES_A_UNIT;
        const fault = findTextFault(value);
        if (fault !== undefined) this.report(fault.code, fault.reason);
        return;
      }
      case "number":
        this.extraDigits += extraDigitsOf(value);
        this.checkNumber(value);
        return;
      case "boolean":
        return;
      case "object":
        if (value !== null) this.enter(value);
        return;
      default:
        this.report(
          "not-json",
          `is ${typeof value === "undefined" ? "" : "a "}${typeof value}, which JSON cannot carry`,
        );
    }
  }

  private checkNumber(value: number): void {
    if (!Number.isFinite(value)) {
      this.report("non-finite-number", "is not a finite number");
    } else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.report(
        "unsafe-integer",
        "is a whole number beyond 9007199254740991, which loses digits: send it as text",
      );
    }
  }

  private enter(container: object): void {
    const isArray = Array.isArray(container);
    if (!isArray && !isPlainObject(container)) {
      this.report("not-json", "is not a plain object, so JSON would change it");
      return;
    }
    if (this.frames.length >= this.maxDepth) {
      this.report("too-deep", `is nested deeper than ${this.maxDepth} levels`);
      return;
    }
    const keys = isArray ? undefined : Object.keys(container);
    this.frames.push({ container, keys, size: isArray ? container.length : (keys?.length ?? 0), next: 0 });
  }

  /** Writes the path, derived from the open frames, only when there is an issue to report. */
  private report(code: string, reason: string): void {
    const way = this.frames.map((frame) => frame.keys?.[frame.next - 1] ?? frame.next - 1);
    this.issues.push({ path: formatPath([...this.at, ...way]), code, reason });
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object from another realm (a vm, an iframe) has its own Object.prototype, whose prototype is null as well.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
