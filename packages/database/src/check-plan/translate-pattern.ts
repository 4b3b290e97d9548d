import {
  asUnits,
  bracket,
  type CharacterSet,
  character,
  complement,
  DIGITS,
  inBothCases,
  LINE_ENDS,
  SPACE,
  SURROGATE_OFFSET,
  WORD,
} from "./character-set.ts";
import { Obstacle } from "./obstacle.ts";

/** A pattern for PostgreSQL. */
export interface TranslatedPattern {
  readonly pattern: string;
  /** True if it matches the text in UTF-16 code units, as `synap.utf16_text` writes it. */
  readonly utf16: boolean;
}

/** PostgreSQL counts a repetition up to this number. */
const LONGEST_COUNT = 255;
/** Maximum number of copies of one character that counted repetitions, nested ones multiplied, may ask for. */
const MAX_COPIES = 4_000;

/**
 * Translates a regular expression of JavaScript into one of PostgreSQL that matches the same texts.
 *
 * The result has no back-references and no lazy quantifiers, so PostgreSQL matches it with an automaton, without
 * backtracking. Classes are written as ranges of codes, and groups don't capture: nothing depends on a locale.
 *
 * @throws Obstacle for back-references, Unicode properties, quantified lookarounds, the flags m, v and y, the flag i with
 *   letters beyond ASCII or with u, and counts that would make the automaton too large
 */
export function translatePattern({ source, flags }: RegExp): TranslatedPattern {
  return new Translation(source, new Set(flags)).run();
}

class Translation {
  readonly #symbols: readonly string[];
  readonly #isUnicode: boolean;
  readonly #ignoresCase: boolean;
  readonly #dotMatchesAll: boolean;
  #next = 0;

  constructor(source: string, flags: ReadonlySet<string>) {
    const refused = ["m", "v", "y"].find((flag) => flags.has(flag));
    if (refused !== undefined) throw new Obstacle(`its pattern has the flag ${refused}`);
    this.#isUnicode = flags.has("u");
    this.#ignoresCase = flags.has("i");
    this.#dotMatchesAll = flags.has("s");
    if (this.#isUnicode && this.#ignoresCase) throw new Obstacle("its pattern has the flags i and u");
    this.#symbols = this.#isUnicode ? [...source] : source.split("");
  }

  run(): TranslatedPattern {
    const { text } = this.#alternatives();
    if (this.#peek() !== undefined) throw new Obstacle("its pattern can't be read");
    return { pattern: text, utf16: !this.#isUnicode };
  }

  /** Copies: the number of characters that the automaton needs for it. */
  #alternatives(): Part {
    const options: string[] = [];
    let copies = 0;
    for (;;) {
      let option = "";
      while (this.#peek() !== undefined && this.#peek() !== "|" && this.#peek() !== ")") {
        const term = this.#term();
        option += term.text;
        copies += term.copies;
      }
      if (copies > MAX_COPIES) throw new Obstacle("its pattern counts too far");
      options.push(option);
      if (this.#peek() !== "|") return { text: options.join("|"), copies };
      this.#next += 1;
    }
  }

  #term(): Part {
    const symbol = this.#take();
    if (symbol === "^" || symbol === "$") return this.#unquantified(symbol);
    if (symbol === "(") return this.#group();
    if (symbol === "[") return this.#quantified(this.#class());
    if (symbol === ".") return this.#quantified(this.#dotMatchesAll ? "." : this.#set(LINE_ENDS, true));
    if (symbol === "\\") return this.#escape();
    if (symbol === "*" || symbol === "+" || symbol === "?") throw new Obstacle("its pattern can't be read");
    return this.#quantified(this.#literal(symbol.codePointAt(0) ?? 0));
  }

  #group(): Part {
    const opening = /^(?:\?:|\?=|\?!|\?<=|\?<!|\?<[^>]*>)?/.exec(this.#rest(64))?.[0] ?? "";
    this.#next += [...opening].length;
    const inner = this.#alternatives();
    if (this.#take() !== ")") throw new Obstacle("its pattern can't be read");
    const isLookaround = /^\?<?[=!]$/.test(opening);
    if (isLookaround) return this.#unquantified(`(${opening}${inner.text})`, inner.copies);
    return this.#quantified(`(?:${inner.text})`, inner.copies);
  }

  #escape(): Part {
    const symbol = this.#take();
    if (symbol === "b" || symbol === "B") return this.#unquantified(boundary(symbol === "b"));
    const set = ESCAPED_SETS[symbol];
    if (set !== undefined) return this.#quantified(this.#set(set, symbol === symbol.toUpperCase()));
    if (/[1-9]/.test(symbol) || symbol === "k") throw new Obstacle("its pattern has a back-reference");
    return this.#quantified(this.#literal(this.#escapedCode(symbol)));
  }

  #escapedCode(symbol: string): number {
    const control = CONTROLS[symbol];
    if (control !== undefined) return control;
    if (symbol === "0") {
      if (/^\d/.test(this.#rest(1))) throw new Obstacle("its pattern has an octal escape");
      return 0;
    }
    if ((symbol === "p" || symbol === "P") && this.#isUnicode)
      throw new Obstacle("its pattern has a property of Unicode");
    const form = symbol === "x" ? /^([0-9a-fA-F]{2})/ : symbol === "u" ? this.#unicodeForm() : undefined;
    const digits = form?.exec(this.#rest(16));
    if (digits?.[1] !== undefined) {
      this.#next += digits[0].length;
      const code = Number.parseInt(digits[1], 16);
      return digits[2] === undefined ? code : pairOf(code, Number.parseInt(digits[2], 16));
    }
    const letter = symbol === "c" ? /^[A-Za-z]/.exec(this.#rest(1)) : null;
    if (letter !== null) {
      this.#next += 1;
      return letter[0].charCodeAt(0) % 32;
    }
    if (symbol === "c") throw new Obstacle("its pattern can't be read");
    return symbol.codePointAt(0) ?? 0;
  }

  /** With the flag u, two escaped halves of a surrogate pair are one character. */
  #unicodeForm(): RegExp {
    if (!this.#isUnicode) return /^([0-9a-fA-F]{4})/;
    return this.#rest(1) === "{"
      ? /^\{([0-9a-fA-F]+)\}/
      : /^([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|^([0-9a-fA-F]{4})/;
  }

  #class(): string {
    const isNegated = this.#peek() === "^";
    if (isNegated) this.#next += 1;
    const members: (readonly [number, number])[] = [];
    while (this.#peek() !== "]") {
      const first = this.#classMember();
      const isRange = this.#peek() === "-" && this.#symbols[this.#next + 1] !== "]";
      if (typeof first === "number" && isRange) {
        const before = this.#next;
        this.#next += 1;
        const last = this.#classMember();
        if (typeof last === "number") {
          members.push([first, last]);
          continue;
        }
        this.#next = before;
      }
      if (typeof first === "number") members.push([first, first]);
      else members.push(...first);
    }
    this.#next += 1;
    return this.#set(members, isNegated);
  }

  #classMember(): number | CharacterSet {
    const symbol = this.#take();
    if (symbol !== "\\") return symbol.codePointAt(0) ?? 0;
    const escaped = this.#take();
    if (escaped === "b") return 0x08;
    const set = ESCAPED_SETS[escaped];
    if (set !== undefined) return escaped === escaped.toUpperCase() ? complement(set) : set;
    if (/[1-9]/.test(escaped)) throw new Obstacle("its pattern has an octal escape");
    return this.#escapedCode(escaped);
  }

  #set(members: CharacterSet, isNegated: boolean): string {
    const ofCase = this.#ignoresCase ? inBothCases(this.#withoutForeignCase(members)) : members;
    return bracket(this.#isUnicode ? ofCase : asUnits(ofCase), isNegated);
  }

  #literal(code: number): string {
    if (code === 0) return bracket([], false);
    if (this.#ignoresCase) return this.#set([[code, code]], false);
    const isHalf = !this.#isUnicode && code >= 0xd800 && code <= 0xdfff;
    return character(isHalf ? code + SURROGATE_OFFSET : code);
  }

  /** Refuses letters whose other case is not in ASCII; the classes of escapes have none, or all. */
  #withoutForeignCase(members: CharacterSet): CharacterSet {
    const isForeign = ([first, last]: readonly [number, number]) =>
      last > 0x7f && !SPACE.some(([low, high]) => low <= first && last <= high) && last !== 0x10ffff;
    if (members.some(isForeign)) throw new Obstacle("its pattern has the flag i and characters beyond ASCII");
    return members;
  }

  #quantified(atom: string, copies = 1): Part {
    const range = this.#quantifier();
    if (range === undefined) return { text: atom, copies };
    const [least, most] = range;
    const counted = copies * Math.max(least, most === Number.POSITIVE_INFINITY ? 1 : most, 1);
    if (counted > MAX_COPIES) throw new Obstacle("its pattern counts too far");
    return { text: repeat(atom, least, most), copies: counted };
  }

  #unquantified(text: string, copies = 0): Part {
    if (this.#quantifier() !== undefined) throw new Obstacle("its pattern repeats an assertion");
    return { text, copies };
  }

  #quantifier(): readonly [number, number] | undefined {
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.#rest(32));
    if (found === null) return undefined;
    this.#next += found[0].length;
    const [, sign, least = "0", comma, most] = found;
    if (sign !== undefined) return [sign === "+" ? 1 : 0, sign === "?" ? 1 : Number.POSITIVE_INFINITY];
    if (comma === undefined) return [Number(least), Number(least)];
    return [Number(least), most ? Number(most) : Number.POSITIVE_INFINITY];
  }

  #peek(): string | undefined {
    return this.#symbols[this.#next];
  }

  #take(): string {
    const symbol = this.#symbols[this.#next];
    if (symbol === undefined) throw new Obstacle("its pattern can't be read");
    this.#next += 1;
    return symbol;
  }

  #rest(length: number): string {
    return this.#symbols.slice(this.#next, this.#next + length).join("");
  }
}

interface Part {
  readonly text: string;
  readonly copies: number;
}

const ESCAPED_SETS: Readonly<Record<string, CharacterSet>> = {
  d: DIGITS,
  D: DIGITS,
  w: WORD,
  W: WORD,
  s: SPACE,
  S: SPACE,
};

const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

function pairOf(high: number, low: number): number {
  return 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
}

/** PostgreSQL's own escapes for the edges of words follow the locale. */
function boundary(isThere: boolean): string {
  const [inside, outside] = isThere ? ["=", "!"] : ["!", "="];
  const word = bracket(WORD, false);
  return `(?:(?<=${word})(?${outside}${word})|(?<!${word})(?${inside}${word}))`;
}

/** Repeats an atom; a count beyond PostgreSQL's limit is the sum of several. */
function repeat(atom: string, least: number, most: number): string {
  if (most === 0) return "(?:)";
  const required = blocks(atom, least, (count) => `{${count}}`);
  if (most === Number.POSITIVE_INFINITY) {
    return least === 0 ? `${atom}*` : least === 1 ? `${atom}+` : `${required}${atom}*`;
  }
  if (least === most) return grouped(required);
  if (most <= LONGEST_COUNT) return `${atom}{${least},${most}}`;
  return grouped(required + blocks(atom, most - least, (count) => `{0,${count}}`));
}

function blocks(atom: string, count: number, quantifier: (count: number) => string): string {
  let text = "";
  for (let left = count; left > 0; left -= LONGEST_COUNT)
    text += `${atom}${quantifier(Math.min(left, LONGEST_COUNT))}`;
  return text;
}

function grouped(text: string): string {
  return `(?:${text})`;
}
