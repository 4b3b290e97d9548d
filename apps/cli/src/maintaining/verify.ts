import type { Database } from "@synap/database";
import { type ChainHead, type ChainReport, extendChain, verifyChain } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError, UsageError } from "@synap/service/exit-codes";
import { count, counted } from "@synap/types/internal";
import { Command, InvalidArgumentError } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { dataOption, wholeOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { duration } from "../terminal/numbers.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { jsonText, plain } from "../terminal/table.ts";
import { describeRestored, type RestoredReport, verifyRestored } from "./verify-restored.ts";

interface VerifyOptions {
  readonly data: string;
  readonly expect?: ChainHead;
  readonly restored: boolean;
  readonly beyond?: number;
  readonly json: boolean;
}

/** The command line of `verify`. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Verifies the log against its hash chain: digests every stored event again, and finds events that were changed, added or " +
        "removed, and chunks that were dropped. It changes no event, and Synap may run meanwhile with a database server.",
    )
    .option(
      "--expect <head>",
      "a head that an earlier verification printed: the chain must still have that block",
      headOption,
    )
    .option(
      "--restored",
      "for a store that was restored, before anything else uses it: begins a new epoch, so that no position is given out twice, and " +
        "compares the tables beside the log with the events as well",
      false,
    )
    .option(
      "--beyond <position>",
      "with --restored: new positions are behind this one too, the highest that anybody is known to have",
      wholeOption(0, Number.MAX_SAFE_INTEGER),
    )
    .option("--json", "print the report as JSON, for programs", false)
    .addOption(dataOption("the data directory, without DATABASE_URL; stop Synap first"))
    .action(verify)
    .addHelpText(
      "after",
      helpText({
        notes: [
          "Whoever can write as the owner of the tables can write a new chain as well. Keep the head that this prints outside of the " +
            "database, and give it to a later verification.",
        ],
        environment: [
          ["DATABASE_URL", "the server; without it, the embedded database in the data directory"],
        ],
        examples: [
          [commandOf("verify")],
          [commandOf("verify", "--json > verified-$(date +%F).json")],
          [commandOf("verify", '--expect "$(cat kept-head)"')],
          [commandOf("verify", "--restored")],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

async function verify({ data, expect, restored, beyond, json }: VerifyOptions): Promise<void> {
  if (beyond !== undefined && !restored) throw new UsageError("--beyond needs --restored.");
  await withMigratedDatabase(data, "hash chain", async (database) => {
    const line = new ProgressLine();
    const chain = await verifyDatabase(database, expect, line).finally(() => line.end());
    const tables = restored
      ? await verifyRestored(database, chain.report, beyond, line).finally(() => line.end())
      : undefined;
    const text = [
      describe(chain.report, chain.ms),
      ...(tables === undefined ? [] : [describeRestored(tables)]),
    ];
    console.log(json ? jsonText({ ...chain.report, ...tables }, 2) : text.join("\n"));
    refuse(chain.report, tables);
  });
}

function refuse({ faultCount }: ChainReport, tables: RestoredReport | undefined): void {
  const reasons = [
    ...(faultCount > 0 ? [`The log differs from its hash chain in ${counted(faultCount, "place")}.`] : []),
    ...(tables !== undefined && tables.tableFaults.length > 0
      ? [`The tables beside the log differ from it in ${counted(tables.tableFaults.length, "way")}.`]
      : []),
  ];
  if (reasons.length > 0) throw new ExitError(EXIT.failed, reasons.join(" "));
}

/** Brings the chain up to date, so that the newest events are verified too, and verifies it. */
async function verifyDatabase(
  database: Database,
  expected: ChainHead | undefined,
  line: ProgressLine,
): Promise<{ report: ChainReport; ms: number }> {
  const show = (position: number, last: number) =>
    line.show(position / Math.max(last, 1), `verified up to position ${position} of ${last}`);
  while (await extendChain(database)) line.show(undefined, "adding events to the chain");
  const began = performance.now();
  const report = await verifyChain(database, { expected, onProgress: show });
  return { report, ms: performance.now() - began };
}

function describe(report: ChainReport, ms: number): string {
  const { events, archived, head, position, lag, faults, faultCount } = report;
  const also = lag === 0 ? "" : `, ${counted(lag, "event was", "events were")} stored since`;
  const listed = faults.map(({ kind, message }) => plain(`${kind}: ${message}`));
  const more = faultCount > faults.length ? [`and ${count(faultCount - faults.length)} more`] : [];
  return [
    `${counted(events, "event")} in ${counted(head.block, "block")} up to position ${position}, verified in ${duration(ms)}${also}`,
    ...(archived.chunks === 0
      ? []
      : [
          `${counted(archived.events, "event")} of ${counted(archived.chunks, "chunk is", "chunks are")} archived: ${commandOf("archive", "verify")}`,
        ]),
    ...(faultCount === 0 ? ["no fault"] : [...listed, ...more]),
    `head ${head.block}:${head.hash}`,
  ].join("\n");
}

function headOption(value: string): ChainHead {
  const [, block, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(value) ?? [];
  if (block === undefined || hash === undefined)
    throw new InvalidArgumentError("It must be a block number and 64 hexadecimal digits, as in 12:9b74….");
  return { block: Number(block), hash };
}
