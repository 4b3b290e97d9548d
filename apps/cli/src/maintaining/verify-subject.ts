import { existsSync, writeFileSync } from "node:fs";
import {
  type ErasureFault,
  type ErasureReport,
  MAX_CANARIES,
  MIN_CANARY,
  verifyErasure,
} from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError, UsageError } from "@synap/service/exit-codes";
import { counted } from "@synap/types/internal";
import { Command } from "commander";
import { helpText } from "../terminal/help-text.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { RELEASE } from "../terminal/release.ts";
import { jsonText, plain } from "../terminal/table.ts";
import { signReport } from "./report-signature.ts";
import {
  ledgerOf,
  onSubjects,
  type StoreOptions,
  signingKeyOf,
  storeOption,
  subjectArgument,
} from "./subject-store.ts";

interface VerifyOptions extends StoreOptions {
  readonly canary: readonly string[];
  readonly report?: string;
}

/** The command line of `subjects verify`. */
export function verifySubjectCommand(): Command {
  return new Command("verify")
    .description(
      "Verifies an erasure: searches every table for texts about the subject, and for values that are sealed with a key that still exists, " +
        "and checks that each step is done. Changes nothing in the database.",
    )
    .argument("<id>", "the subject", subjectArgument)
    .option(
      "--canary <text>",
      "a text that nothing may have any more, such as an e-mail address; may be given several times",
      collect,
      [],
    )
    .option("--report <file>", "write a report as JSON, and its signature into FILE.sig")
    .addOption(storeOption())
    .addHelpText(
      "after",
      helpText({
        notes: [
          "A canary is found in capitals and small letters. The subject's own name is no canary: it stays in the log. The report has no " +
            "canary, and the subject as a hash. The key that signs it is made with the first one.",
        ],
        examples: [
          [commandOf("subjects", "verify customer-7 --canary ada@example.org")],
          [commandOf("subjects", "verify customer-7 --canary ada@example.org --report 118.json")],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    )
    .action(verify);
}

async function verify(subject: string, { data, canary, report: file }: VerifyOptions): Promise<void> {
  if (canary.length > MAX_CANARIES || canary.some((each) => each.length < MIN_CANARY))
    throw new UsageError(`Give at most ${MAX_CANARIES} canaries of at least ${MIN_CANARY} characters.`);
  const taken = file === undefined ? [] : [file, `${file}.sig`].filter((each) => existsSync(each));
  if (taken.length > 0) throw new UsageError(`${taken.join(" and ")} exists already. Name another file.`);
  await onSubjects(data, async (database) => {
    const line = new ProgressLine();
    const report = await verifyErasure(database, {
      subject,
      canaries: canary,
      ledger: ledgerOf(data),
      onProgress: (done, tables, table) => line.show(done / tables, `searching ${plain(table)}`),
    }).finally(() => line.end());
    console.log(describe(report));
    if (file !== undefined) write(report, file, signingKeyOf(data));
    if (report.faults.length > 0)
      throw new ExitError(
        EXIT.failed,
        `The erasure of ${plain(subject)} is not verified: ${counted(report.faults.length, "fault")}.`,
      );
  });
}

function write(report: ErasureReport, file: string, key: string): void {
  const result = report.faults.length === 0 ? "verified" : "not-verified";
  const text = `${jsonText({ report: "erasure", synap: RELEASE, result, ...report }, 2)}\n`;
  const { signature, publicKey } = signReport(text, key);
  writeFileSync(file, text, { mode: 0o600, flag: "wx" });
  writeFileSync(`${file}.sig`, signature, { mode: 0o600, flag: "wx" });
  console.log(
    `Report: ${file}, signed in ${file}.sig. The public key that verifies it:\n${publicKey.trimEnd()}`,
  );
}

function describe({ tables, rows, canaries, faults }: ErasureReport): string {
  const searched = `${counted(rows, "row")} of ${counted(tables.length, "table")} searched for sealed values and ${counted(canaries, "canary", "canaries")}`;
  return [searched, ...(faults.length === 0 ? ["no fault"] : faults.map(describeFault))].join("\n");
}

function describeFault({ kind, table, column, rows = 0, canary }: ErasureFault): string {
  const place = plain(`${table}.${column}`);
  const many = counted(rows, "row");
  switch (kind) {
    case "canary-found":
      return `canary ${canary} is in ${place}: ${many}`;
    case "sealed-with-key":
      return `values that its key opens are in ${place}: ${many}`;
    case "key-exists":
      return "its key exists";
    case "not-erased":
      return `it is not erased: ${commandOf("subjects", "erase")}`;
    case "not-in-ledger":
      return "the ledger does not have it: a restored backup would bring its key back";
    case "read-models-not-replaced":
      return "the workers have not replaced the read models yet: see `status`";
    case "table-not-read":
      return `${plain(table ?? "")} can't be read by this login`;
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
