// Prints the failures of the steps that are named as arguments (STEP:SUITE, or STEP: without a suite): the failed tests of the
// suite's report and the errors that Vitest reports outside of tests, or the end of the step's output where there are neither.
// It is the last part of the output of `.ci/run` before the totals, for a reader who has only the end of a long log.
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

const MOST_LINES = 25;
const MOST_COLUMNS = 300;

/** Lines of a text, indented, none too long. */
function shorten(lines) {
  return lines.map((line) => `    ${line.slice(0, MOST_COLUMNS)}`).join("\n");
}

function failedTests(path) {
  if (!existsSync(path)) return [];
  const start = (message) => shorten(message.split("\n").slice(0, MOST_LINES));
  const report = JSON.parse(readFileSync(path, "utf8"));
  return report.testResults
    .filter(({ status }) => status === "failed")
    .flatMap((file) => {
      const name = relative(process.cwd(), file.name);
      const failed = file.assertionResults.filter(({ status }) => status === "failed");
      return failed.length === 0
        ? [`FAILED ${name}: did not load\n${start(file.message ?? "")}`]
        : failed.map((test) => `FAILED ${name}: ${test.fullName}\n${start(test.failureMessages.join("\n"))}`);
    });
}

/** A rejection that nothing handled, for example, makes Vitest exit with 1 although every test has passed. */
function errorsOutsideTests(lines) {
  const from = lines.findIndex((line) => line.includes("Unhandled Errors"));
  return from === -1 ? [] : [shorten(lines.slice(from, from + 2 * MOST_LINES))];
}

for (const [step, suite] of process.argv.slice(2).map((argument) => argument.split(":"))) {
  const lines = readFileSync(`test-results/${step}.log`, "utf8").split("\n");
  const findings = [...failedTests(`test-results/${suite}.json`), ...errorsOutsideTests(lines)];
  console.log(`--- ${step}`);
  console.log(findings.length > 0 ? findings.join("\n") : shorten(lines.slice(-MOST_LINES)));
}
