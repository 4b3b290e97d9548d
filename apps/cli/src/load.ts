import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { count, counted } from "@synap/types/internal";
import { Command, Option } from "commander";
import { LoadError } from "./loading/load-error.ts";
import { type LoadResult, loadFile } from "./loading/load-file.ts";
import { LoadProgressLine } from "./loading/load-progress.ts";
import type { LoadStart } from "./loading/load-start.ts";
import { findToken } from "./operating/connection.ts";
import { dataOption, urlOption, warnOfUnknownSettings, wholeOption } from "./terminal/command.ts";
import { helpText } from "./terminal/help-text.ts";
import { duration } from "./terminal/numbers.ts";
import { ProgressLine } from "./terminal/progress-line.ts";

interface ImportCommandOptions {
  url: string;
  backfill: boolean;
  token?: string;
  data: string;
  batch: number;
  inFlight: number;
  patience: number;
  restart: boolean;
  new: boolean;
}

/** The command line of `load`. */
export function loadCommand(): Command {
  return new Command("load")
    .description(
      "Sends every line of an NDJSON file (one JSON event per line) to Synap's API. Stop it at any time and run it again: it " +
        "continues where it stopped, and every line is stored exactly once.",
    )
    .argument("<file>", 'the NDJSON file, or "-" for standard input (which can\'t be resumed)')
    .addOption(
      new Option("--url <url>", "address of Synap's API")
        .env("SYNAP_URL")
        .argParser(urlOption)
        .default("http://127.0.0.1:3400"),
    )
    .option("--backfill", "allow timestamps outside the live window; needs the scope backfill", false)
    .addOption(
      new Option("--token <token>", "the API key, or another token")
        .env("SYNAP_TOKEN")
        .default(undefined, "the one in the data directory"),
    )
    .addOption(dataOption("the data directory whose key is used"))
    .option("--batch <n>", "events per request, at most 5000", wholeOption(1, 5000), 1000)
    .option("--in-flight <n>", "concurrent requests", wholeOption(1, 64), 4)
    .option(
      "--patience <seconds>",
      "maximum time to wait for an API that is unavailable or busy",
      wholeOption(0, 86_400),
      300,
    )
    .option("--restart", "send the whole file again, whatever earlier runs sent", false)
    .option("--new", "treat the path as another file, and load it from its first line", false)
    .action(run)
    .addHelpText(
      "after",
      helpText({
        notes: [
          "A last line without a line break is sent if it is a whole JSON object; otherwise it is left until it has one.",
          "When it stopped before the end of the file, run the same command again to continue.",
        ],
        lists: {
          "Files beside FILE": [
            ["FILE.synap-load", "a folder that keeps how far it got"],
            ["FILE.rejected.ndjson", "rejected lines: line number, code, path, reason and the line itself"],
          ],
        },
        examples: [[commandOf("load", "FILE")], [commandOf("load", "FILE --backfill")]],
        exitCodes: ["done", "failed", "usage", "unreachable", "token", "incomplete", "interrupted"],
      }),
    );
}

async function run(file: string, options: ImportCommandOptions): Promise<void> {
  warnOfUnknownSettings();
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const { token } = findToken(options);
  const progressLine = new ProgressLine();
  const progress = new LoadProgressLine(progressLine);
  const from = performance.now();
  const again = file === "-" ? "" : " Run the same command again to continue.";
  let saidWaiting = 0;
  let shownLines = 0;
  try {
    const result = await loadFile({
      ...options,
      file,
      asNew: options.new,
      patienceMs: options.patience * 1000,
      signal: stop.signal,
      ...(token === undefined ? {} : { token }),
      onStart: (start) => {
        const line = startLine(start, file);
        if (line !== undefined) progressLine.say(line);
        progress.begin(start.line, start.offset);
      },
      onProgress: (state) => {
        if (progress.show(state)) shownLines = state.lines;
      },
      onWait: (reason) => {
        if (performance.now() - saidWaiting < 2_000) return;
        saidWaiting = performance.now();
        progressLine.say(`Waiting for the API: ${reason}.`);
      },
    });
    if (result.lines > shownLines) progress.show(result, { always: true });
    progressLine.end();
    console.log(summary(result, performance.now() - from));
    if (result.counts.rejected > 0 || result.unfinished) process.exitCode = EXIT.incomplete;
  } catch (error) {
    progressLine.end();
    if (stop.signal.aborted) {
      throw new ExitError(EXIT.interrupted, `Stopped.${again}`, { cause: error });
    }
    if (!(error instanceof LoadError)) throw error;
    const { message, code } = error;
    if (code === "NOT_ALLOWED") throw new ExitError(EXIT.token, message, { cause: error });
    if (code !== "API_UNREACHABLE") throw error;
    throw new ExitError(EXIT.unreachable, `${message}\n${again.trim()}`.trim(), { cause: error });
  }
}

function startLine(start: LoadStart, file: string): string | undefined {
  if (start.kind === "resumed")
    return `Continuing after line ${count(start.line)}, where an earlier run stopped.`;
  if (start.kind === "grown") return `${file} has grown: continuing after line ${count(start.line)}.`;
  if (start.kind === "finished")
    return "An earlier run sent the whole file, with the result below; --restart sends it again.";
  return undefined;
}

function summary(result: LoadResult, ms: number): string {
  const { accepted, duplicate, rejected } = result.counts;
  const lines = [`${counted(accepted, "event")} accepted in ${duration(ms)}`];
  if (duplicate > 0) lines.push(`${counted(duplicate, "was", "were")} stored before`);
  if (rejected > 0) lines.push(`${counted(rejected, "line")} rejected, see ${result.rejectedPath}`);
  if (result.tooOld > 0) {
    lines.push(
      `${counted(result.tooOld, "of them is", "of them are")} older than the API takes as live events: load the file again with --backfill --restart`,
    );
  }
  if (result.unfinished) {
    lines.push(
      `line ${count(result.lines + 1)} has no line break and is not a complete JSON object: not sent. Run it again when it is complete`,
    );
  }
  return lines.join("\n");
}
