import { markup } from "../markup/markup.ts";
import { plotStyle } from "../plots/plot-style.ts";

/** The page's style sheet: light and dark after the reader's setting, one column on a phone, fit for paper. */
export const style = markup`${plotStyle}
:root {
  color-scheme: light dark;
  --surface: #f6f7f9;
  --good: #15803d; --bad: #c01f1f; --good-back: #e3f5e9; --bad-back: #fde8e8; --warn: #8a5a00; --warn-back: #fdf1d8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --surface: #161b22;
    --good: #4ade80; --bad: #ff8080; --good-back: #12301f; --bad-back: #3d1718; --warn: #f5c451; --warn-back: #35290d;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header.top, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px }
header.top { padding-top: 48px }
h1 { font-size: 34px; line-height: 1.15; deadLetter-spacing: -0.02em; margin: 0 0 8px }
h2 { font-size: 22px; line-height: 1.25; deadLetter-spacing: -0.01em; margin: 0 }
h3 { font-size: 16px; margin: 0 0 8px }
p { margin: 0 0 12px; max-width: 76ch }
header p { max-width: none }
a { color: inherit; text-decoration-color: var(--quiet); text-underline-offset: 3px }
code { font: 0.9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
.quiet { color: var(--quiet) }
.number { font-variant-numeric: tabular-nums }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px; margin: 28px 0 }
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 14px 18px }
.tile b { display: block; font-size: 28px; line-height: 1.2; deadLetter-spacing: -0.02em }
.tile span { color: var(--quiet); font-size: 14px }
nav { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14.5px; margin: 0 0 20px }
.good { color: var(--good) } .bad { color: var(--bad) }
section { margin: 48px 0 0 }
section > header { border-top: 1px solid var(--line); padding-top: 28px; margin-bottom: 18px }
section > header p { margin: 4px 0 0; font-size: 14px }
.notice { border-left: 4px solid var(--line); background: var(--surface); padding: 10px 16px; margin: 12px 0; border-radius: 0 8px 8px 0; font-size: 15px; overflow-wrap: anywhere }
.notice.bad-notice { border-color: var(--bad); background: var(--bad-back); color: var(--text) }
.notice.good-notice { border-color: var(--good); background: var(--good-back); color: var(--text) }
.notice ul { margin: 4px 0 0; padding-left: 20px }
.notice pre { margin: 6px 0 0; font-size: 12px; white-space: pre-wrap }
.chip { display: inline-block; border-radius: 999px; padding: 1px 9px; font-size: 12px; font-weight: 600; white-space: nowrap; background: var(--surface); color: var(--quiet) }
.chip.met, .chip.better { background: var(--good-back); color: var(--good) }
.chip.missed, .chip.worse { background: var(--bad-back); color: var(--bad) }
.chip.engine { border: 1px solid var(--line); background: none; font-weight: 500 }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 16px; margin: 0 0 20px; align-items: start }
figure { margin: 0; border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px 10px; break-inside: avoid }
figcaption { font-weight: 600; font-size: 15px; margin-bottom: 12px }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 6px 0 0; font-weight: 400; font-size: 13px; color: var(--quiet) }
.legend svg { width: 13px; height: 13px; margin-right: 6px; vertical-align: -2px }
svg.plot { display: block; width: 100%; height: auto; max-width: 620px; overflow: visible }
table { width: 100%; border-collapse: collapse; font-size: 14.5px; table-layout: fixed }
th:nth-child(1) { width: 33% } th:nth-child(2) { width: 16% } th:nth-child(3) { width: 19% } th:nth-child(4) { width: 16% } th:nth-child(5) { width: 16% }
th { text-align: left; font-weight: 500; color: var(--quiet); font-size: 13px; padding: 0 12px 6px 0; border-bottom: 1px solid var(--line) }
td { padding: 10px 12px 10px 0; border-bottom: 1px solid var(--line); vertical-align: top }
th:last-child, td:last-child { padding-right: 0 }
td.name { padding-right: 28px }
td .note { display: block; color: var(--quiet); font-size: 13px; margin-top: 2px }
td.value { font-weight: 650; font-variant-numeric: tabular-nums; font-size: 16px }
td.small { font-size: 13.5px; color: var(--quiet); font-variant-numeric: tabular-nums }
td.small > span { white-space: nowrap } td.small > .range { white-space: normal }
.strip-line { display: flex; align-items: center; gap: 8px; margin-top: 4px; font-size: 12px; white-space: nowrap }
svg.gauge { display: block; width: 110px; height: 14px; margin-top: 6px }
.gauge .track { fill: var(--line) } .gauge .target { stroke: var(--text); stroke-width: 2 }
.gauge .met { fill: var(--good) } .gauge .missed { fill: var(--bad) }
svg.strip { display: block; width: 84px; height: 14px; flex: none }
.strip line { stroke: var(--line); stroke-width: 2 } .strip circle { fill: var(--quiet); opacity: 0.6 }
.strip .median { stroke: var(--text) }
details { margin-top: 20px }
summary { font-weight: 600; cursor: pointer; margin-bottom: 8px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; font-size: 14.5px }
dt { color: var(--quiet) } dd { margin: 0; overflow-wrap: anywhere }
footer { padding-top: 40px; padding-bottom: 48px; color: var(--quiet); font-size: 14px }
@media (max-width: 720px) {
  main, header.top, footer { padding-left: 16px; padding-right: 16px }
  header.top { padding-top: 28px }
  h1 { font-size: 27px }
  .tiles { grid-template-columns: 1fr 1fr }
  .tile { padding: 10px 14px } .tile b { font-size: 23px }
  figure { padding: 12px 12px 6px }
  thead { display: none }
  table, tbody { display: block }
  tr { display: grid; grid-template-columns: 1fr 1fr; gap: 4px 14px; padding: 14px 0; border-bottom: 1px solid var(--line) }
  td { display: block; border: 0; padding: 0 }
  td:nth-child(odd) { grid-column: 2 } td:nth-child(even) { grid-column: 1 } td.name { grid-column: 1 / -1 } td:empty { display: none }
  td.small > span { white-space: normal }
  svg text { font-size: 14px } svg .label { font-size: 14px } svg .tick, svg .axis { font-size: 13.5px }
  dl { grid-template-columns: 1fr } dd { margin-bottom: 8px }
}
@media print { section, figure, tr { break-inside: avoid } }
`;
