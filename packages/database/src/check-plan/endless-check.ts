import type { CheckPlan, NodeIndex } from "./check-plan.ts";
import { kindsOf } from "./form-kinds.ts";

/**
 * Finds what would make a check endless, or twice as long at each level of the data: a schema that contains itself without
 * descending into the data, and one that contains itself in two forms which both may have to be tried.
 *
 * @returns the fault, phrased to follow "data"
 */
export function findEndlessCheck(plan: CheckPlan): string | undefined {
  for (const index of plan.keys()) {
    if (reaches(plan, sameValue(plan, index), index, sameValue))
      return "contains a schema that contains itself without descending into the data";
    const forms = overlappingForms(plan, index);
    const repeated = forms.filter((form) => form === index || reaches(plan, [form], index, anyPart));
    if (repeated.length > 1)
      return "has a recursive union whose forms can't be distinguished without trying them";
  }
  return undefined;
}

type Step = (plan: CheckPlan, index: NodeIndex) => readonly NodeIndex[];

/** The nodes that check the same value as this one. */
const sameValue: Step = (plan, index) => {
  const node = plan[index];
  return [
    ...(node?.nullable === undefined ? [] : [node.nullable]),
    ...(node?.forms ?? []),
    ...Object.values(node?.route?.to ?? {}),
  ];
};

const anyPart: Step = (plan, index) => {
  const node = plan[index];
  const { additional, items, tuple } = node ?? {};
  return [
    ...sameValue(plan, index),
    ...Object.values(node?.properties ?? {}),
    ...(typeof additional === "number" ? [additional] : []),
    ...(items === undefined ? [] : [items]),
    ...(tuple?.prefix ?? []),
    ...(typeof tuple?.rest === "number" ? [tuple.rest] : []),
  ];
};

function reaches(plan: CheckPlan, from: readonly NodeIndex[], target: NodeIndex, step: Step): boolean {
  const seen = new Set<NodeIndex>();
  const waiting = [...from];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (index === target) return true;
    if (seen.has(index)) continue;
    seen.add(index);
    waiting.push(...step(plan, index));
  }
  return false;
}

/** The forms of a node that more than one of may be tried on the same value: those that accept the same kinds of values. */
function overlappingForms(plan: CheckPlan, index: NodeIndex): readonly NodeIndex[] {
  const forms = plan[index]?.forms ?? [];
  return forms.filter((form, at) =>
    forms.some(
      (other, otherAt) =>
        at !== otherAt && [...kindsOf(plan, form)].some((kind) => kindsOf(plan, other).has(kind)),
    ),
  );
}
