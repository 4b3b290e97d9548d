import { randomBytes } from "node:crypto";
import { sqlState } from "./database-errors.ts";

const REASONS = {
  control:
    "it is committed when the work resolves and rolled back when it throws. To undo only a part, use transaction.savepoint(work)",
  modes: "what follows in it has to be stored, such as the progress of the handler",
} as const;

/**
 * Thrown for a statement that begins or ends transactions or savepoints, in a transaction that its owner ends, and for one in a
 * handler that sets the modes of the transaction, such as READ ONLY.
 */
export class TransactionControlError extends Error {
  override readonly name = "TransactionControlError";
  readonly code = "TRANSACTION_CONTROL";
  /** The first words of the statement. */
  readonly statement: string;

  constructor(statement: string, reason: keyof typeof REASONS = "control") {
    super(`${statement} can't run in this transaction: ${REASONS[reason]}.`);
    this.statement = statement;
  }
}

/**
 * Thrown when a script ended the transaction nevertheless. Part of its writes may be stored, including the events of an
 * append: repeat it with the same ids, which stores nothing twice.
 */
export class TransactionEndedError extends Error {
  override readonly name = "TransactionEndedError";
  readonly code = "TRANSACTION_ENDED";
  /** The handler that did it, if known. */
  readonly handler: string | undefined;

  constructor(handler?: string, options?: ErrorOptions) {
    const subject = handler === undefined ? "A statement" : `A statement of handler "${handler}"`;
    super(
      `${subject} ended the transaction that it ran in, so part of what ran there may be stored. Look for COMMIT and ROLLBACK in it.`,
      options,
    );
    this.handler = handler;
  }
}

const CONTROL_TAG = /^(?:BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE TRANSACTION)/;

/** True if a command that PostgreSQL reports as complete began or ended a transaction or a savepoint. */
export function isControlTag(tag: string): boolean {
  return CONTROL_TAG.test(tag);
}

/** True if a script contains keywords that may control the transaction. They may be harmless, but no script controls it without them. */
export function mayControl(script: string): boolean {
  return MAY_CONTROL.test(script);
}

/** Creates an unguessable name of a savepoint. If the savepoint is gone after a script, the script ended the transaction. */
export function createSavepointName(): string {
  return `synap_${randomBytes(8).toString("hex")}`;
}

/** True if a savepoint could not be ended because it, or its transaction, no longer exists. */
export function isSavepointGone(error: unknown): boolean {
  const state = sqlState(error);
  return state === "3B001" || state === "25P01";
}

const CONTROL = /^(?:ABORT|BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|START|PREPARE TRANSACTION)\b/;

/** Cheap check for scripts that can't contain such a statement. */
const MAY_CONTROL = /\b(?:ABORT|BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|START|TRANSACTION)\b/i;

/**
 * Refuses a single statement if it controls the transaction.
 * @throws TransactionControlError
 */
export function refuseControl(statement: string): void {
  for (const words of firstWords(statement)) {
    if (CONTROL.test(words)) throw new TransactionControlError(words);
    return;
  }
}

/**
 * Refuses a script if any of its statements controls the transaction.
 * @throws TransactionControlError
 */
export function refuseScriptControl(script: string): void {
  if (!mayControl(script)) return;
  for (const words of firstWords(script)) if (CONTROL.test(words)) throw new TransactionControlError(words);
}

const MODES = /^SET (?:(?:LOCAL|SESSION) )?(?:TRANSACTION|CHARACTERISTICS)/;
/** Cheap check for scripts that can't contain such a statement. */
const MAY_SET_MODES = /\b(?:TRANSACTION|CHARACTERISTICS)/i;

/**
 * Refuses a script if any of its statements sets the modes of this transaction or of later ones.
 * @throws TransactionControlError
 */
export function refuseModes(script: string): void {
  if (!MAY_SET_MODES.test(script)) return;
  for (const words of firstWords(script)) {
    if (MODES.test(words)) throw new TransactionControlError(words, "modes");
  }
}

const SPACE_OR_COMMENT_TO_LINE_END = /(?:\s|--[^\n\r]*)+/y;
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const STRING = /'[^']*(?:''[^']*)*'?/y;
/** String constants continue after a line end, with the same escapes. */
const ESCAPED_STRING = /'[^'\\]*(?:(?:''|\\.)[^'\\]*)*'?(?:\s*[\n\r]\s*'[^'\\]*(?:(?:''|\\.)[^'\\]*)*'?)*/sy;
const QUOTED_NAME = /"[^"]*"?/y;
const NUMBER_OR_PARAMETER = /[\d$][\w$]*/y;

/** Number of leading words that determine the kind of a statement. */
const LEADING_WORDS = 3;

/**
 * Returns the first words of each statement of a script, in capitals. Tokenizes SQL like PostgreSQL's lexer under the
 * settings of our sessions.
 */
function* firstWords(script: string): Generator<string> {
  let words: string[] = [];
  let isOpen = true;
  let hasTokens = false;
  let depth = 0;
  /** Number of expected ENDs in the body of a SQL function. */
  let blocks = 0;
  let previous = "";
  for (let at = 0; at < script.length; ) {
    const match = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = at;
      return pattern.exec(script)?.[0];
    };
    const space = match(SPACE_OR_COMMENT_TO_LINE_END);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    if (script.startsWith("/*", at)) {
      at = endOfComment(script, at);
      continue;
    }
    const character = script.charAt(at);
    if (character === ";" && depth <= 0 && blocks === 0) {
      if (hasTokens) yield words.join(" ");
      words = [];
      isOpen = true;
      hasTokens = false;
      previous = "";
      at += 1;
      continue;
    }
    hasTokens = true;
    const word = match(WORD);
    if (word !== undefined) {
      at += word.length;
      const upper = word.toUpperCase();
      if (upper === "E" && script.charAt(at) === "'") {
        at += match(ESCAPED_STRING)?.length ?? 1;
        isOpen = false;
        continue;
      }
      if (isOpen) words.push(upper);
      if (words.length === LEADING_WORDS) isOpen = false;
      if (upper === "ATOMIC" && previous === "BEGIN" && words[0] === "CREATE") blocks += 1;
      else if (upper === "CASE" && blocks > 0) blocks += 1;
      else if (upper === "END" && blocks > 0) blocks -= 1;
      previous = upper;
      continue;
    }
    isOpen = false;
    previous = "";
    const dollar = match(DOLLAR_QUOTE);
    if (dollar !== undefined) {
      const end = script.indexOf(dollar, at + dollar.length);
      at = end < 0 ? script.length : end + dollar.length;
      continue;
    }
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    at += (match(STRING) ?? match(QUOTED_NAME) ?? match(NUMBER_OR_PARAMETER) ?? character).length;
  }
  if (hasTokens) yield words.join(" ");
}

/** Skips a comment, which may contain nested ones. */
function endOfComment(script: string, start: number): number {
  const bound = /\/\*|\*\//g;
  bound.lastIndex = start;
  let depth = 0;
  for (let found = bound.exec(script); found !== null; found = bound.exec(script)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return bound.lastIndex;
  }
  return script.length;
}
