/** The value below which this share (0 to 1) of the values lies; NaN when there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The value in the middle; NaN when there are none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
