const STEPS = [
  { from: 1e9, suffix: "G" },
  { from: 1e6, suffix: "M" },
  { from: 1e4, suffix: "k", by: 1e3 },
] as const;

/** A value as short as an axis needs it: 0.5, 2,500, 20k, 10M. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  const step = STEPS.find(({ from }) => size >= from);
  if (step !== undefined) return `${short(value / ("by" in step ? step.by : step.from))}${step.suffix}`;
  return size >= 1000 ? Math.round(value).toLocaleString("en-US") : short(value);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
