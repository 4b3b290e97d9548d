/** The media type of what `writeMetrics` writes. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A figure that may rise and fall, and its samples at this moment: one without labels, or one for each set of them. */
export interface Gauge {
  /** Letters, digits and underscores, its unit last. */
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** By name, which has the same form as a metric's. Values may be any text. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Gauges in Prometheus' text format, version 0.0.4. One without samples is left out.
 *
 * Not by prom-client, which writes what a process counts: its registries keep every value from one scrape to the next, so a label set whose subject is gone
 * would have to be removed by hand. Here a scrape is written from one reading of the store and forgotten.
 */
export function writeMetrics(gauges: readonly Gauge[]): string {
  return gauges
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples }) => {
      const lines = samples.map(
        ({ labels, value }) => `${name}${writeLabels(labels)} ${writeValue(value)}\n`,
      );
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} gauge\n${lines.join("")}`;
    })
    .join("");
}

/** A gauge with those of its samples that there are. */
export function gauge(name: string, help: string, ...samples: readonly (Sample | undefined)[]): Gauge {
  return { name, help, samples: samples.filter((sample) => sample !== undefined) };
}

function writeLabels(labels: Sample["labels"] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** As Go reads it, which has its own words for the infinite. */
function writeValue(value: number): string {
  return String(value).replace(/^(-?)Infinity$/, (_, sign) => `${sign || "+"}Inf`);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Quotes are escaped in labels only: in help they stand for themselves. */
function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
