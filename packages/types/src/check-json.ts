import { type EventIssue, MAX_ISSUES } from "./event-issue.ts";
import { formatPath } from "./issue-path.ts";
import { findTextFault } from "./text-fault.ts";

/** How deep objects and arrays may be nested when nothing else is said; the outermost one counts as 1. */
export const DEFAULT_MAX_DEPTH = 32;

/**
 * How many values, objects and arrays among them, `checkJson` takes when nothing else is said. A schema makes an
 * issue of every bad item: millions of them, as five megabytes can hold, would cost seconds and gigabytes.
 */
export const DEFAULT_MAX_VALUES = 50_000;

/** What `checkJson` allows. */
export interface JsonLimits {
  /** Deepest nesting of objects and arrays, the outermost counting as 1. Default 32. */
  readonly maxDepth?: number | undefined;
  /** The most values in all, objects and arrays included. Default 50,000. */
  readonly maxValues?: number | undefined;
  /** Where the value stands, put before the path of every issue: `["data"]` gives `data.content`. Default none. */
  readonly at?: readonly PropertyKey[] | undefined;
}

/** A container that is being walked, and how far. `keys` is undefined for an array. */
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
 * `unsafe-integer` (beyond 2^53-1), `prototype-key` (a field named `__proto__`), `to-json-key` (one named `toJSON`), `not-json` (a function, a Date, a bigint ...). A field that is
 * undefined counts as absent. At most 100 issues are reported. It walks with a stack of its own and never recurses,
 * so no input overflows the call stack; a cycle ends as `too-deep`.
 */
export function checkJson(value: unknown, limits: JsonLimits = {}): EventIssue[] {
  return examineJson(value, limits).issues;
}

/** What `examineJson` learns of a value on its way through it. */
export interface JsonExamination {
  readonly issues: EventIssue[];
  /** Its JSON is no longer than this, in bytes, numbers written as JavaScript does. Several times what it is. */
  readonly maxBytes: number;
  /** How many more characters its numbers take when they are written out in full, without exponents. */
  readonly extraDigits: number;
}

/** The same as `checkJson`, and how large the value is, about: to measure every value would cost more than the check. */
export function examineJson(value: unknown, limits: JsonLimits = {}): JsonExamination {
  const walk = new Walk(limits);
  walk.run(value);
  return walk;
}

/** A UTF-16 unit becomes at most so many bytes of JSON: `\u0001`. */
const MAX_BYTES_A_UNIT = 6;
/** What a value takes besides its own text, or instead: quotes, colon, comma, brackets, `false`; and any number. */
const MAX_BYTES_A_VALUE = 32;

/** How much longer a number is when it is written out in full: `1.5e-7`, and `0.00000015` in PostgreSQL. */
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
    // JSON.stringify leaves an undefined field out but turns an undefined array item into null: only one is harmless.
    if (child === undefined && frame.keys !== undefined) return null;
    return child;
  }

  private checkKey(key: string): void {
    this.maxBytes += key.length * MAX_BYTES_A_UNIT;
    if (key === "__proto__") this.report("prototype-key", "a field may not be named __proto__");
    // JSON.stringify would call it, and Inngest's SDK does not verify the signature of what holds one.
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

  /** The path is written only when something is wrong: the open frames know the way to the current value. */
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
