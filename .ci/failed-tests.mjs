// Prints the failed tests of the vitest reports that are named as arguments, each with the start of its message: the
// last thing `.ci/run` says before the totals, for a reader who has only the end of a long log.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const MOST_LINES = 25;
const MOST_COLUMNS = 300;

const start = (message) =>
  message
    .split("\n")
    .slice(0, MOST_LINES)
    .map((line) => `    ${line.slice(0, MOST_COLUMNS)}`)
    .join("\n");

for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, "utf8"));
  for (const file of report.testResults.filter((each) => each.status === "failed")) {
    const name = relative(process.cwd(), file.name);
    const failed = file.assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0) console.log(`FAILED ${name}: did not load\n${start(file.message ?? "")}`);
    for (const test of failed) {
      console.log(`FAILED ${name}: ${test.fullName}\n${start(test.failureMessages.join("\n"))}`);
    }
  }
}
