import { markup } from "../markup/markup.ts";

/** The style sheet of plots: light and dark after the reader's setting. A page that shows them has it, and every SVG file. */
export const plotStyle = markup`
:root {
  --page: #ffffff; --line: #e2e6ec; --text: #14181f; --quiet: #5a6473;
  --c0: #2563eb; --c1: #e8590c; --c2: #0d9488; --c3: #9333ea; --c4: #b98900; --c5: #64748b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1217; --line: #2a323d; --text: #e8ecf1; --quiet: #98a3b3;
    --c0: #6ea8fe; --c1: #ff9f5a; --c2: #3fd0bd; --c3: #c79bff; --c4: #f0c24b; --c5: #9aa7b8;
  }
}
.series-0 { --series: var(--c0) } .series-1 { --series: var(--c1) } .series-2 { --series: var(--c2) }
.series-3 { --series: var(--c3) } .series-4 { --series: var(--c4) } .series-5 { --series: var(--c5) }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--text); font-variant-numeric: tabular-nums }
svg .tick, svg .axis { fill: var(--quiet); font-size: 11.5px }
svg .label { font-size: 12.5px } svg .value { font-weight: 600 }
svg .label, svg .value { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round }
svg .value.inside { fill: var(--page); stroke: none }
svg .grid { stroke: var(--line); stroke-width: 1 }
svg .fill, svg .mark { fill: var(--series) }
svg .mark { stroke: var(--page); stroke-width: 1 }
svg .line { fill: none; stroke: var(--series); stroke-width: 2.2; stroke-linejoin: round }
svg .title { font-size: 14px; font-weight: 600 } svg .key { fill: var(--quiet) }
svg .background { fill: var(--page) }
`;
