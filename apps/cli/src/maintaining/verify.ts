import type { Database } from "@synap/database";
import { type ChainHead, type ChainReport, extendChain, verifyChain } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { count, counted } from "@synap/types/internal";
import { Command, InvalidArgumentError } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { dataOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { duration } from "../terminal/numbers.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { jsonText, plain } from "../terminal/table.ts";

interface VerifyOptions {
  readonly data: string;
  readonly expect?: ChainHead;
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
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

async function verify({ data, expect, json }: VerifyOptions): Promise<void> {
  await withMigratedDatabase(data, "hash chain", async (database) => {
    const { report, ms } = await verifyDatabase(database, expect);
    console.log(json ? jsonText(report, 2) : describe(report, ms));
    if (report.faultCount > 0)
      throw new ExitError(
        EXIT.failed,
        `The log differs from its hash chain in ${counted(report.faultCount, "place")}.`,
      );
  });
}

/** Brings the chain up to date, so that the newest events are verified too, and verifies it. */
async function verifyDatabase(
  database: Database,
  expected: ChainHead | undefined,
): Promise<{ report: ChainReport; ms: number }> {
  const line = new ProgressLine();
  const show = (position: number, last: number) =>
    line.show(position / Math.max(last, 1), `verified up to position ${position} of ${last}`);
  try {
    while (await extendChain(database)) line.show(undefined, "adding events to the chain");
    const began = performance.now();
    const report = await verifyChain(database, { expected, onProgress: show });
    return { report, ms: performance.now() - began };
  } finally {
    line.end();
  }
}

function describe({ events, head, position, lag, faults, faultCount }: ChainReport, ms: number): string {
  const also = lag === 0 ? "" : `, ${counted(lag, "event was", "events were")} stored since`;
  const listed = faults.map(({ kind, message }) => plain(`${kind}: ${message}`));
  const more = faultCount > faults.length ? [`and ${count(faultCount - faults.length)} more`] : [];
  return [
    `${counted(events, "event")} in ${counted(head.block, "block")} up to position ${position}, verified in ${duration(ms)}${also}`,
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
