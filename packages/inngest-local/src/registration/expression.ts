import { type ASTNode, Environment } from "@marcbachmann/cel-js";

/** Variables of an expression: `event`. */
type ExpressionScope = Record<string, unknown>;

/** An expression with invalid syntax. */
export class ExpressionError extends Error {
  readonly code = "EXPRESSION_INVALID";
  override readonly name = "ExpressionError";
}

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
});
const compiled = new Map<string, (scope: ExpressionScope) => unknown>();

/**
 * Compiles a CEL expression with Inngest's treatment of missing fields. Operands of `==` and `!=` that are missing count as
 * null, though two of them are not equal; anywhere else a missing field makes the whole expression false.
 *
 * @throws ExpressionError when the text is not CEL
 */
export function compileExpression(text: string): (scope: ExpressionScope) => unknown {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  let run: (scope: ExpressionScope) => unknown;
  try {
    run = environment.parse(tolerateMissing(text));
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new ExpressionError(`not a CEL expression: ${text} (${reason})`, { cause });
  }
  const evaluate = (scope: ExpressionScope): unknown => {
    try {
      return run(scope);
    } catch {
      return false;
    }
  };
  compiled.set(text, evaluate);
  return evaluate;
}

/** Evaluates an expression; without one the result is true. */
export function holds(text: string | undefined, scope: ExpressionScope): boolean {
  return text === undefined || compileExpression(text)(scope) === true;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Rewrites the member chains on either side of `==` and `!=` so that a missing field doesn't end the evaluation. */
function tolerateMissing(text: string): string {
  const edits: Edit[] = [];
  collectEdits(environment.parse(text).ast, text, edits);
  let result = text;
  for (const edit of edits.sort((a, b) => b.start - a.start)) {
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
  }
  return result;
}

function collectEdits(node: ASTNode, source: string, edits: Edit[]): void {
  if (node.op === "==" || node.op === "!=") {
    const [left, right] = node.args;
    const leftChain = optionalChain(left);
    const rightChain = optionalChain(right);
    if (leftChain !== undefined && rightChain !== undefined) {
      const equal = `${leftChain}.hasValue() && ${rightChain}.hasValue() && ${leftChain}.orValue(null) == ${rightChain}.orValue(null)`;
      edits.push({
        start: left.range.start,
        end: right.range.end,
        text: node.op === "==" ? `(${equal})` : `!(${equal})`,
      });
      return;
    }
    for (const [side, chain] of [
      [left, leftChain],
      [right, rightChain],
    ] as const) {
      if (chain === undefined) collectEdits(side, source, edits);
      else edits.push({ start: side.range.start, end: side.range.end, text: `${chain}.orValue(null)` });
    }
    return;
  }
  for (const child of childrenOf(node.args)) collectEdits(child, source, edits);
}

/** Rewrites `event.data.a` as `event.?data.?a`; undefined when the node is not a chain of member names. */
function optionalChain(node: ASTNode): string | undefined {
  if (node.op !== ".") return undefined;
  const names: string[] = [];
  let part: ASTNode = node;
  while (part.op === ".") {
    names.unshift(part.args[1]);
    part = part.args[0];
  }
  return part.op === "id" ? `${part.args}${names.map((name) => `.?${name}`).join("")}` : undefined;
}

function childrenOf(value: unknown): ASTNode[] {
  if (Array.isArray(value)) return value.flatMap(childrenOf);
  return isNode(value) ? [value] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "range" in value;
}
