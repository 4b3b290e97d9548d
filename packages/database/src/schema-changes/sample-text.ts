import { oneOf, type Random, wholeNumber } from "./random.ts";

/** Texts of the formats that Zod and JSON Schema have. */
const OF_FORMAT: Readonly<Record<string, readonly string[]>> = {
  base64: ["YQ==", ""],
  base64url: ["YQ"],
  cidrv4: ["10.0.0.0/8"],
  cidrv6: ["2001:db8::/32"],
  cuid2: ["tz4a98xxat96iws9zmbrgj3a"],
  date: ["2026-01-31"],
  "date-time": ["2026-01-31T09:30:00Z"],
  duration: ["P1D"],
  e164: ["+14155552671"],
  email: ["ada@example.com"],
  emoji: ["🙂"],
  hostname: ["example.com"],
  ipv4: ["192.0.2.1"],
  ipv6: ["2001:db8::1"],
  jwt: ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln"],
  nanoid: ["V1StGXR8_Z5jdHi6B-myT"],
  time: ["09:30:00"],
  ulid: ["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
  uri: ["https://example.com/a"],
  uuid: ["0190b5e8-7a2c-7000-8000-000000000001"],
};

const USUAL = ["a", "text", "b c", "0", "é", "Z9"];

/** Limits of a text. */
export interface TextLimits {
  readonly minLength: number;
  readonly maxLength: number;
  readonly patterns: readonly RegExp[];
  readonly format: string | undefined;
}

/**
 * Texts that may satisfy the limits; all of them have a length that does. The caller checks the rest.
 *
 * @param known texts that occur in examples
 */
export function* sampleTexts(
  limits: TextLimits,
  known: readonly string[],
  random: Random,
): Generator<string> {
  const { minLength, maxLength, patterns, format } = limits;
  const fits = (text: string) =>
    [...text].length >= minLength &&
    [...text].length <= maxLength &&
    patterns.every((each) => each.test(text));
  const all = Object.values(OF_FORMAT).flat();
  const given = [
    ...(OF_FORMAT[format ?? ""] ?? []),
    ...(format === undefined ? USUAL : []),
    ...known,
    ...all,
  ];
  for (const text of given) {
    if (fits(text)) yield text;
    else if ([...text].length < minLength && text !== "" && minLength <= 10_000) {
      const longer = text.repeat(Math.ceil(minLength / [...text].length));
      const exact = [...longer].slice(0, minLength).join("");
      if (fits(exact)) yield exact;
    }
  }
  for (const pattern of patterns) {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const text = textOf(pattern.source, random);
      if (text === undefined) break;
      if (fits(text)) yield text;
    }
  }
}

/** A text that a pattern probably matches; undefined for a pattern with parts that are not known here. */
export function textOf(source: string, random: Random): string | undefined {
  const reader = new PatternReader(source, random);
  const text = reader.alternatives();
  return reader.isDone ? text : undefined;
}

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  d: [..."0123456789"],
  w: [..."abcXYZ012_"],
  s: [" "],
  D: [..."aZ-"],
  W: [..."- ."],
  S: [..."aZ0-"],
};

/** Atoms that are read for one text: each of nested repetitions reads what is in it again. */
const MAX_ATOMS = 5_000;

/** Reads the part of regular expressions that schemas use, and writes a text for it on the way. */
class PatternReader {
  readonly #source: readonly string[];
  readonly #random: Random;
  #at = 0;
  #atoms = 0;
  #failed = false;

  constructor(source: string, random: Random) {
    this.#source = [...source];
    this.#random = random;
  }

  get isDone(): boolean {
    return !this.#failed && this.#at === this.#source.length;
  }

  alternatives(): string {
    const texts = [this.#sequence()];
    while (this.#take("|")) texts.push(this.#sequence());
    return oneOf(this.#random, texts);
  }

  #sequence(): string {
    let text = "";
    while (this.#at < this.#source.length && !this.#sees("|") && !this.#sees(")") && !this.#failed)
      text += this.#piece();
    return text;
  }

  /** One atom, as often as what follows it says. */
  #piece(): string {
    const from = this.#at;
    const first = this.#atom();
    const until = this.#at;
    const [least, most] = this.#count();
    const after = this.#at;
    const times = wholeNumber(this.#random, least, Math.min(most, least + 2));
    const texts = [first];
    // Reads the atom again for each further time, so that [a-z]{3} is not three times the same.
    while (texts.length < times && !this.#failed) {
      this.#at = from;
      texts.push(this.#atom());
      if (this.#at !== until) this.#failed = true;
    }
    this.#at = after;
    return texts.slice(0, times).join("");
  }

  #count(): readonly [number, number] {
    const counts = this.#take("*")
      ? [0, 3]
      : this.#take("+")
        ? [1, 3]
        : this.#take("?")
          ? [0, 1]
          : this.#braces();
    this.#take("?");
    const [least = 1, most = 1] = counts;
    return [least, most];
  }

  #braces(): readonly number[] {
    const rest = this.#source.slice(this.#at, this.#at + 12).join("");
    const [all, least, comma, most] = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(rest) ?? [];
    if (all === undefined) return [];
    this.#at += all.length;
    const first = Number(least);
    return [
      first,
      comma === undefined ? first : most === "" || most === undefined ? first + 2 : Number(most),
    ];
  }

  #atom(): string {
    this.#atoms += 1;
    if (this.#atoms > MAX_ATOMS) this.#failed = true;
    const character = this.#source[this.#at] ?? "";
    this.#at += 1;
    if (character === "^" || character === "$") return "";
    if (character === ".") return oneOf(this.#random, CLASSES["S"] ?? ["a"]);
    if (character === "(") return this.#group();
    if (character === "[") return this.#set();
    if (character === "\\") return oneOf(this.#random, this.#escaped());
    return character;
  }

  #group(): string {
    if (this.#take("?")) {
      // Look-aheads would have to hold for what follows.
      if (!this.#take(":")) this.#failed = true;
    }
    const text = this.alternatives();
    if (!this.#take(")")) this.#failed = true;
    return text;
  }

  #escaped(): readonly string[] {
    const character = this.#source[this.#at] ?? "";
    this.#at += 1;
    const known = CLASSES[character];
    if (known !== undefined) return known;
    if (character === "b") return [""];
    if (/[a-zA-Z0-9]/.test(character)) this.#failed = true;
    return [character];
  }

  #set(): string {
    const isNegated = this.#take("^");
    const members: string[] = [];
    while (this.#at < this.#source.length && !this.#sees("]")) members.push(...this.#member());
    this.#take("]");
    const others = [..."aZ0- .é"].filter((each) => !members.includes(each));
    const from = isNegated ? others : members;
    if (from.length > 0) return oneOf(this.#random, from);
    this.#failed = true;
    return "";
  }

  #member(): readonly string[] {
    const first = this.#take("\\") ? this.#escaped() : [this.#next()];
    const [from] = first;
    if (first.length !== 1 || from === undefined || !this.#sees("-") || this.#source[this.#at + 1] === "]")
      return first;
    this.#at += 1;
    const [to = from] = this.#take("\\") ? this.#escaped() : [this.#next()];
    const [low, high] = [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0];
    const step = Math.max(1, Math.floor((high - low) / 8));
    return Array.from({ length: 9 }, (_, index) => String.fromCodePoint(Math.min(high, low + index * step)));
  }

  #next(): string {
    const character = this.#source[this.#at] ?? "";
    this.#at += 1;
    return character;
  }

  #sees(character: string): boolean {
    return this.#source[this.#at] === character;
  }

  #take(character: string): boolean {
    if (!this.#sees(character)) return false;
    this.#at += 1;
    return true;
  }
}
