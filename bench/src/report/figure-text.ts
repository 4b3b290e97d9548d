import type { Figure, Target } from "../benchmark.ts";
import { isMet } from "./report.ts";

/** A value with its unit, as people read it: "14,700 events/s", "0.83", "4.21 ms", "2.3 s", "12.4 MB". */
export function valueText(value: number, unit: string): string {
  if (unit === "ratio") return `${numberText(value)}×`;
  if (unit === "bytes" || unit.startsWith("bytes/")) return bytesText(value, unit);
  if (unit === "ms" && Math.abs(value) >= 1_000) return `${numberText(value / 1_000)} s`;
  return `${numberText(value)} ${unit}`;
}

/** Three digits that count; from 100 on a whole number, thousands separated. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return Math.round(value).toLocaleString("en-US");
  if (size < 0.001) return value.toPrecision(2);
  return String(Number(value.toPrecision(3)));
}

/** A target as people read it: "at least 10,000 events/s". */
export function targetText({ comparison, bound }: Target, unit: string): string {
  return `${comparison} ${valueText(bound, unit)}`;
}

/** "met" or "MISSED"; empty where nothing is asked of the figure. */
export function metText(figure: Figure): "met" | "MISSED" | "" {
  const met = isMet(figure);
  return met === undefined ? "" : met ? "met" : "MISSED";
}

/** Spread of a figure's samples: "5 samples, 0.79 to 0.86×"; undefined without samples. */
export function spreadText(figure: Figure): string | undefined {
  const { samples } = figure;
  if (samples === undefined) return undefined;
  return samples.length === 1 ? "1 sample" : `${samples.length} samples, ${rangeText(figure)}`;
}

/** The smallest and the largest sample: "0.79 to 0.86×"; undefined where there are not two. */
export function rangeText({ samples, unit }: Figure): string | undefined {
  if (samples === undefined || samples.length < 2) return undefined;
  const from = valueText(Math.min(...samples), unit);
  const to = valueText(Math.max(...samples), unit);
  // The unit once is enough, where both have the same: not in "980 ms to 1.2 s".
  const [, suffix = ""] = /^[\d.,e-]+(.*)$/.exec(to) ?? [];
  return `${from.endsWith(suffix) ? from.slice(0, from.length - suffix.length) : from} to ${to}`;
}

function bytesText(value: number, unit: string): string {
  const per = unit.slice("bytes".length);
  const size = Math.abs(value);
  if (size >= 1e9) return `${numberText(value / 1e9)} GB${per}`;
  if (size >= 1e6) return `${numberText(value / 1e6)} MB${per}`;
  if (size >= 1e4) return `${numberText(value / 1e3)} kB${per}`;
  return `${numberText(value)} ${unit}`;
}
