import { type CheckNode, type CheckPlan, JSON_KINDS, type JsonKind, type NodeIndex } from "./check-plan.ts";

/** The kinds of values that a node can accept. */
export function kindsOf(
  plan: CheckPlan,
  index: NodeIndex,
  entered: ReadonlySet<NodeIndex> = new Set(),
): ReadonlySet<JsonKind> {
  const node = plan[index];
  const all = new Set(JSON_KINDS);
  if (node === undefined || entered.has(index)) return all;
  if (node.kinds !== undefined) return new Set(node.kinds);
  const inside = new Set([...entered, index]);
  if (node.nullable !== undefined) return new Set([...kindsOf(plan, node.nullable, inside), "null"]);
  if (node.forms !== undefined) {
    const kinds = node.forms.map((form) => kindsOf(plan, form, inside));
    const isAccepted = (kind: JsonKind) =>
      node.choice === "all" ? kinds.every((each) => each.has(kind)) : kinds.some((each) => each.has(kind));
    return new Set(JSON_KINDS.filter(isAccepted));
  }
  const values = node.rules?.find((rule) => rule.is === "one-of")?.values;
  return values === undefined ? all : new Set(values.map(kindOf));
}

/** Adds to a union which of its forms can accept a value of each kind. An intersection tries all of them. */
export function withCandidates(plan: CheckPlan, node: CheckNode): CheckNode {
  const { forms, choice } = node;
  if (forms === undefined) return node;
  const of = (kind: JsonKind) =>
    choice === "all" ? forms : forms.filter((form) => kindsOf(plan, form).has(kind));
  return {
    ...node,
    candidates: {
      string: of("string"),
      number: of("number"),
      boolean: of("boolean"),
      null: of("null"),
      array: of("array"),
      object: of("object"),
    },
  };
}

function kindOf(value: string | number | boolean | null): JsonKind {
  if (value === null) return "null";
  return typeof value === "string" ? "string" : typeof value === "number" ? "number" : "boolean";
}
