import { endOfString } from "@synap/http";
import { formatPath } from "@synap/types/internal";

/** Something that `JSON.parse` would refuse without a position, or change silently. */
export interface JsonIssue {
  readonly code: "malformed-json" | "duplicate-field" | "inexact-number" | "too-deep" | "too-many-values";
  /** Index of the character in the text, from 0. */
  readonly position: number;
  /** Path in the value. Empty for a syntax error. */
  readonly path: string;
  readonly reason: string;
}

/** The range of one event of a batch in the text. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/** Nesting limit of a text: `maxDepth` inside `around` containers, which reasons don't count. */
export interface DepthLimits {
  readonly maxDepth: number;
  readonly around?: number;
}

/** The issues of a JSON text, up to the first syntax error, and its items. */
export interface JsonDiagnosis {
  readonly findings: readonly JsonIssue[];
  /** The items of the outermost array, or of the array under `events` in the outermost object. */
  readonly items: readonly JsonSpan[];
}

interface Frame {
  readonly names: Set<string> | undefined;
  /** Name of the member, or index of the item, being read. */
  key: string | number;
  start: number;
}

const MAX_FINDINGS = 1_000;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const FOUR_HEX_DIGITS = /^[0-9a-fA-F]{4}$/;

class SyntaxFault extends Error {
  readonly position: number;
  constructor(position: number, reason: string) {
    super(reason);
    this.position = position;
  }
}

/**
 * Parses a JSON text strictly and reports syntax errors with their position, repeated names, numbers that JavaScript
 * would change, and nesting deeper than the limit. Used only for texts that the scan can't clear, because it is several times
 * slower than `JSON.parse`. It never recurses, and skips values that are nested too deep.
 */
export function diagnoseJson(text: string, limits: DepthLimits): JsonDiagnosis {
  const diagnosis = new Diagnosis(text, limits);
  try {
    diagnosis.read();
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    const { position, message } = error;
    diagnosis.findings.push({
      code: "malformed-json",
      position,
      path: "",
      reason: `${message} ${describePosition(text, position)}`,
    });
  }
  return diagnosis;
}

class Diagnosis implements JsonDiagnosis {
  readonly findings: JsonIssue[] = [];
  readonly items: JsonSpan[] = [];
  private readonly frames: Frame[] = [];
  private readonly text: string;
  private readonly maxDepth: number;
  private readonly around: number;
  private at = 0;

  constructor(text: string, { maxDepth, around = 0 }: DepthLimits) {
    this.text = text;
    this.maxDepth = maxDepth;
    this.around = around;
  }

  read(): void {
    this.skipSpace();
    let isValueRead = this.beginValue();
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      // A value inside `frame` ends here, or a container has just been opened.
      isValueRead = isValueRead ? this.afterValue(frame) : this.beginValue();
    }
    this.skipSpace();
    if (this.at < this.text.length) this.fail("expected the end of the text");
  }

  /** Reads a simple value, or opens a container up to its first value. True when the value is complete. */
  private beginValue(): boolean {
    const character = this.text[this.at];
    const frame = this.frames.at(-1);
    if (frame !== undefined) frame.start = this.at;
    if (character === "{" || character === "[") return this.openContainer(character);
    if (character === '"') this.readString();
    else if (character === "-" || (character !== undefined && character >= "0" && character <= "9"))
      this.readNumber();
    else if (this.match(WORD) === undefined) this.fail("expected a value");
    return true;
  }

  private openContainer(bracket: "{" | "["): boolean {
    if (this.frames.length >= this.maxDepth + this.around) {
      this.report("too-deep", this.at, `is nested deeper than ${this.maxDepth} levels`);
      this.skipContainer();
      return true;
    }
    this.at += 1;
    this.skipSpace();
    const isObject = bracket === "{";
    if (this.text[this.at] === (isObject ? "}" : "]")) {
      this.at += 1;
      return true;
    }
    this.frames.push({ names: isObject ? new Set() : undefined, key: 0, start: this.at });
    if (isObject) this.readName();
    return false;
  }

  private afterValue(frame: Frame): boolean {
    if (this.isItem(frame)) this.items.push({ start: frame.start, end: this.at });
    this.skipSpace();
    const character = this.text[this.at];
    const isObject = frame.names !== undefined;
    if (character === (isObject ? "}" : "]")) {
      this.at += 1;
      this.frames.pop();
      return true;
    }
    if (character !== ",") this.fail(`expected "," or "${isObject ? "}" : "]"}"`);
    this.at += 1;
    this.skipSpace();
    if (isObject) this.readName();
    else if (typeof frame.key === "number") frame.key += 1;
    return false;
  }

  private isItem(frame: Frame): boolean {
    if (frame.names !== undefined) return false;
    if (this.frames.length === 1) return true;
    const [outermost] = this.frames;
    return this.frames.length === 2 && outermost?.key === "events";
  }

  private readName(): void {
    const frame = this.frames.at(-1);
    if (this.text[this.at] !== '"') this.fail("expected a field's name in double quotes");
    const start = this.at;
    this.readString();
    const name: unknown = JSON.parse(this.text.slice(start, this.at));
    this.skipSpace();
    if (this.text[this.at] !== ":") this.fail('expected ":"');
    this.at += 1;
    this.skipSpace();
    if (frame?.names === undefined || typeof name !== "string") return;
    frame.key = name;
    if (frame.names.has(name)) {
      this.report("duplicate-field", start, "is repeated, and only one of the values could be kept");
    }
    frame.names.add(name);
  }

  private readString(): void {
    const end = endOfString(this.text, this.at);
    const stop = end < 0 ? this.text.length : end;
    for (this.at += 1; this.at < stop; this.at += 1) {
      const character = this.text.charCodeAt(this.at);
      if (character < 32) this.fail("a control character must be escaped");
      if (character === 92 /* \ */) this.skipEscape();
    }
    if (end < 0) this.fail("expected the end of a string");
    this.at = end + 1;
  }

  /** Moves to the last character of the escape that begins here. */
  private skipEscape(): void {
    const escaped = this.text[this.at + 1] ?? "";
    if (escaped === "u" && FOUR_HEX_DIGITS.test(this.text.slice(this.at + 2, this.at + 6))) this.at += 5;
    else if (escaped !== "" && '"\\/bfnrt'.includes(escaped)) this.at += 1;
    else this.fail("this escape does not exist in JSON");
  }

  private readNumber(): void {
    const start = this.at;
    const literal = this.match(NUMBER) ?? this.fail("expected a number");
    if (isExactNumber(literal)) return;
    const shown = literal.length > 40 ? `${literal.slice(0, 40)}…` : literal;
    this.report("inexact-number", start, `${shown} can't be kept exactly as a number: send it as text`);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** Moves to the end of the container that begins here, looking only at brackets and strings. */
  private skipContainer(): void {
    let depth = 0;
    for (; this.at < this.text.length; this.at += 1) {
      const character = this.text[this.at];
      if (character === '"') {
        const end = endOfString(this.text, this.at);
        if (end < 0) break;
        this.at = end;
      } else if (character === "{" || character === "[") depth += 1;
      else if (character === "}" || character === "]") depth -= 1;
      if (depth === 0) {
        this.at += 1;
        return;
      }
    }
    this.at = this.text.length;
    this.fail("expected the end of an object or array");
  }

  private skipSpace(): void {
    for (;;) {
      const character = this.text.charCodeAt(this.at);
      if (character !== 32 && character !== 10 && character !== 13 && character !== 9) return;
      this.at += 1;
    }
  }

  private report(code: JsonIssue["code"], position: number, reason: string): void {
    if (this.findings.length >= MAX_FINDINGS) return;
    const path = formatPath(this.frames.map((frame) => frame.key));
    this.findings.push({ code, position, path, reason });
  }

  private fail(reason: string): never {
    const end = this.text.length;
    throw new SyntaxFault(Math.min(this.at, end), this.at < end ? reason : `${reason}, but the text ends`);
  }
}

/** Formats a position in a text: "at position 15 (line 2, column 7)". */
function describePosition(text: string, position: number): string {
  let line = 1;
  let lineStart = 0;
  // Counted, not split: five megabytes of newlines would become millions of texts.
  for (let index = 0; index < position; index += 1) {
    if (text.charCodeAt(index) !== 10) continue;
    line += 1;
    lineStart = index + 1;
  }
  const column = position - lineStart + 1;
  return `at position ${position} (line ${line}, column ${column})`;
}

/**
 * Maximum number of significant digits of a double in programs that don't write the shortest form (`%.17g`). JavaScript parses
 * such a text to the same double, so it counts as exact.
 */
const DIGITS_OF_A_DOUBLE = 17;

/**
 * Checks that JavaScript keeps a JSON number: it has the same value after `JSON.parse`, or is a double with all its digits. Not
 * kept are numbers with more digits than a double has, and those that become zero or infinite.
 */
export function isExactNumber(literal: string): boolean {
  const sent = readDecimal(literal);
  const value = Number(literal);
  if (!Number.isFinite(value)) return false;
  const kept = readDecimal(String(value));
  if (sent.digits === kept.digits && sent.exponent === kept.exponent) return true;
  return value !== 0 && !Number.isInteger(value) && sent.digits.length <= DIGITS_OF_A_DOUBLE;
}

/** Parses the number as digits without zeros at either end, times ten to the power of `exponent`. */
function readDecimal(literal: string): { digits: string; exponent: number } {
  const [, whole = "", fraction = "", power = "0"] =
    /^-?(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(literal) ?? [];
  const written = (whole + fraction).replace(/^0+/, "");
  const digits = trimZeros(written);
  if (digits === "") return { digits: "", exponent: 0 };
  return { digits, exponent: Number(power) - fraction.length + written.length - digits.length };
}

// Not a regular expression: /0+$/ takes quadratic time on a long run of zeros before another digit.
function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end -= 1;
  return digits.slice(0, end);
}
