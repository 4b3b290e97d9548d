/** The media type of the text that `writeMetrics` returns. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A metric that may rise and fall, with its current samples: one without labels, or one for each set of labels. */
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
 * Writes gauges in Prometheus' text format, version 0.0.4. Gauges without samples are left out.
 *
 * prom-client is used for counters and histograms only. Its registries keep values between scrapes, so the labels of a
 * removed handler or projection would have to be deleted by hand. These gauges are read from the store at each scrape.
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

/** Creates a gauge from the samples that are defined. */
export function gauge(name: string, help: string, ...samples: readonly (Sample | undefined)[]): Gauge {
  return { name, help, samples: samples.filter((sample) => sample !== undefined) };
}

function writeLabels(labels: Sample["labels"] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Writes a number. Prometheus spells the infinite ones `+Inf` and `-Inf`. */
function writeValue(value: number): string {
  return String(value).replace(/^(-?)Infinity$/, (_, sign) => `${sign || "+"}Inf`);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Escapes a label. Quotes are escaped in labels, but not in help texts. */
function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
