import type { Direction, TypeCheck, Verdict, VersionFinding } from "@synap/service/catalogue-lock";
import { isBreak } from "@synap/service/catalogue-lock";
import { count, counted } from "@synap/types/internal";
import { plain } from "../terminal/table.ts";
import type { CorpusVersion } from "./check-corpus.ts";

/** Longest document in a report, in characters. */
const MAX_DOCUMENT = 2_000;

/** The report as Markdown, for a review: first a table of what isn't fine, then each finding with its document. */
export function describeChecks(checks: readonly TypeCheck[]): string {
  const shown = checks.filter(
    ({ change, oldData, newData }) => change !== "unchanged" || !isFine(oldData) || !isFine(newData),
  );
  const breaks = checks.filter(({ oldData }) => isBreak(oldData)).length;
  const summary = `${counted(checks.length, "event type")}: ${counted(shown.length, "has", "have")} something to say, ${counted(
    breaks,
    "breaks",
    "break",
  )} old data.`;
  return plainLines([
    "# Event types against their lock",
    "",
    summary,
    ...(shown.length === 0 ? [] : ["", ...tableOf(shown)]),
    ...shown.flatMap(sectionsOf),
  ]);
}

/** The report about stored events as Markdown. */
export function describeCorpus(corpus: readonly CorpusVersion[]): string {
  return plainLines([
    "# Stored events",
    "",
    "| type | version | stored | read | failed |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...corpus.map(
      ({ type, schemaVersion, events, checked, failed, sealed }) =>
        `| \`${type}\` | ${schemaVersion} | ${count(events)} | ${sealed ? "sealed" : count(checked)} | ${count(failed)} |`,
    ),
    ...corpus
      .filter(({ failed }) => failed > 0)
      .flatMap(({ type, schemaVersion, faults }) => [
        "",
        `## ${type} of version ${schemaVersion}`,
        "",
        ...faults.map(({ id, pointer, reason }) => `- ${id}, ${placeOf({ pointer })}: ${reason}`),
      ]),
  ]);
}

function isFine({ verdict }: Direction): boolean {
  return verdict === "compatible";
}

const WORDS: Readonly<Record<Verdict, string>> = {
  compatible: "compatible",
  upcast: "read through its steps",
  "needs-upcaster": "**needs an upcaster**",
  "needs-new-type": "**needs a new type**",
  removed: "**removed**",
  undecided: "undecided",
};

function tableOf(checks: readonly TypeCheck[]): readonly string[] {
  return [
    "| type | version | old data, this code | new data, old consumers |",
    "| --- | --- | --- | --- |",
    ...checks.map(
      (check) =>
        `| \`${check.type}\` | ${versionOf(check)} | ${wordOf(check.oldData)} | ${WORDS[check.newData.verdict]} |`,
    ),
  ];
}

function versionOf({ change, lockedVersion = 1, version }: TypeCheck): string {
  if (change === "added") return `new, ${version}`;
  return version === undefined || version === lockedVersion
    ? String(lockedVersion)
    : `${lockedVersion} to ${version}`;
}

function wordOf({ verdict, tried }: Direction): string {
  return verdict === "upcast"
    ? `${WORDS.upcast}, tried with ${counted(tried ?? 0, "document")}`
    : WORDS[verdict];
}

function sectionsOf({ type, oldData, newData }: TypeCheck): readonly string[] {
  const lines = [...linesOf("old data", oldData), ...linesOf("new data", newData)];
  return lines.length === 0 ? [] : ["", `## ${type}`, ...lines];
}

function linesOf(direction: string, { findings }: Direction): readonly string[] {
  return findings.flatMap((finding) => {
    const { version, kind, reason } = finding;
    const what = kind === "break" ? "" : "undecided: ";
    const line = `- ${direction} of version ${version}, ${placeOf(finding)}: ${what}${reason}`;
    return ["", line, ...documentOf(finding)];
  });
}

function placeOf({ pointer }: Pick<VersionFinding, "pointer">): string {
  return pointer === "" ? "as a whole" : `\`${pointer}\``;
}

function documentOf({ document, kind }: VersionFinding): readonly string[] {
  if (document === undefined) return [];
  const text = JSON.stringify(document);
  const short = text.length > MAX_DOCUMENT ? `${text.slice(0, MAX_DOCUMENT)}…` : text;
  return [
    `  ${kind === "break" ? "Accepted by the one and refused by the other" : "Refused by the other"}:`,
    "",
    "  ```json",
    `  ${short}`,
    "  ```",
  ];
}

/** Names and texts come from schemas: a control character in one must not reach the terminal. */
function plainLines(lines: readonly string[]): string {
  return lines.map(plain).join("\n");
}
