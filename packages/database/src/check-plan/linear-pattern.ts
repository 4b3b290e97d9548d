import { RE2JS } from "re2js";
import { Obstacle } from "./obstacle.ts";
import { translatePattern } from "./translate-pattern.ts";

/** Maximum number of UTF-16 code units of a pattern. */
const MAX_LENGTH = 500;
/** Maximum number of instructions of a pattern's automaton, to which the time for a text is proportional. */
const MAX_PROGRAM = 1_000;

/**
 * A regular expression that is matched by an automaton, in a time proportional to the text: whoever wrote it can't make a
 * process stand still. For all else it is the expression of JavaScript, with the flag u.
 */
class LinearPattern extends RegExp {
  readonly #automaton: RE2JS;

  constructor(source: string, automaton: RE2JS) {
    super(source, "u");
    this.#automaton = automaton;
  }

  override test(text: string): boolean {
    return this.#automaton.matcher(text).find();
  }
}

/**
 * Reads a pattern of a JSON Schema. The automaton here and that of PostgreSQL are made of one translation, so that they match the same texts.
 *
 * @throws Obstacle for a pattern that is no regular expression, is too large, or takes backtracking: back-references, lookarounds, the edges
 *   of words
 */
export function linearPattern(source: string): RegExp {
  if (source.length > MAX_LENGTH) throw new Obstacle(`its pattern has more than ${MAX_LENGTH} characters`);
  const { pattern } = translatePattern(readPattern(source));
  let automaton: RE2JS;
  try {
    automaton = RE2JS.compile(inSyntaxOfRe2(pattern), RE2JS.DOTALL);
  } catch {
    throw new Obstacle("its pattern looks around, or at the edges of words, which takes backtracking");
  }
  if (automaton.programSize() > MAX_PROGRAM) throw new Obstacle("its pattern counts too far");
  return new LinearPattern(source, automaton);
}

function readPattern(source: string): RegExp {
  try {
    return new RegExp(source, "u");
  } catch {
    throw new Obstacle("its pattern is no regular expression of Unicode");
  }
}

/** PostgreSQL and RE2 differ in how they write a character by its code. */
function inSyntaxOfRe2(pattern: string): string {
  return pattern.replace(
    /\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/g,
    (_, short = "", long = "") => `\\x{${short}${long}}`,
  );
}

/**
 * A pattern of a JSON Schema that may come from anywhere: matched by an automaton where that can be. What takes backtracking is in the
 * schemas of code only.
 *
 * @throws SyntaxError when it is no regular expression
 */
export function patternOf(source: string, flags: string): RegExp {
  if (!flags.includes("u")) return new RegExp(source, flags);
  try {
    return linearPattern(source);
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    return new RegExp(source, flags);
  }
}
