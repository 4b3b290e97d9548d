import type { Change, Comparison } from "./compare-reports.ts";
import { numberText } from "./figure-text.ts";

/** A change in a few characters: "1.4× better", "2.1× WORSE", "same", "new"; "–" where nothing can be said. */
export function changeText(change: Change | undefined): string {
  if (change === undefined) return "";
  const { verdict, worseBy } = change;
  if (verdict === "new") return "new";
  if (worseBy === undefined) return "–";
  const factor = worseBy > 1 ? worseBy : 1 / worseBy;
  const size = Number.isFinite(factor) ? `${numberText(factor)}×` : "∞";
  if (verdict === "worse") return `${size} WORSE`;
  if (verdict === "better") return `${size} better`;
  if (numberText(factor) === "1") return "same";
  const direction = worseBy > 1 ? "less good" : "better";
  return verdict === "same" ? `same (${size} ${direction})` : `${size} ${direction}, not judged`;
}

/** Description of a comparison and its limits, in a sentence or two. */
export function comparisonText({ baseline, isSameMachine, differences }: Comparison): string {
  const commit = baseline.commit === undefined ? "" : ` of commit ${baseline.commit.id.slice(0, 10)}`;
  const scope = isSameMachine
    ? baseline.mode === "quick"
      ? "A quick run judges only ratios within a run."
      : "Same kind of machine: every figure is judged."
    : "Another machine: absolute figures are not comparable, only ratios within a run are judged.";
  const list = differences.length === 0 ? "" : ` Different: ${differences.join("; ")}.`;
  return `Compared with the baseline of ${baseline.startedAt.slice(0, 10)}${commit}. ${scope}${list}`;
}
