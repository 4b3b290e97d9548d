import { Command } from "commander";
import type { z } from "zod";
import { wholeOption } from "../terminal/command.ts";
import { count } from "../terminal/numbers.ts";
import { jsonText } from "../terminal/table.ts";
import { streamPage } from "./answers.ts";
import type { Page } from "./api-client.ts";
import type { CommandGroup } from "./command-group.ts";
import { type CommonOptions, connect } from "./connection.ts";
import { eventLine, eventTitles } from "./event-line.ts";

interface ReadOptions extends CommonOptions {
  readonly from?: number;
  readonly to?: number;
  readonly backwards: boolean;
}

const PAGE = "500";
const version = wholeOption(1, Number.MAX_SAFE_INTEGER);

/** `synap streams ...` */
export const streamsCommand: CommandGroup = () =>
  new Command("streams").description("Streams: the events of one thing, in order.").addCommand(readCommand());

function readCommand(): Command {
  return new Command("read")
    .description("Shows the events of a stream. Needs no token.")
    .argument("<type>", "the kind of thing: the aggregateType of its events")
    .argument("<id>", "which one: the aggregateId of its events")
    .option("--from <version>", "the lowest version to show", version)
    .option("--to <version>", "the highest version to show", version)
    .option("--backwards", "the newest first", false)
    .addHelpText(
      "after",
      `
With --json: one event a line (NDJSON), whole.

Examples:
  npx -y pnpm@12 synap streams read note 42
  npx -y pnpm@12 synap streams read note 42 --backwards | head
  npx -y pnpm@12 synap streams read note 42 --from 10 --to 20 --json`,
    )
    .action(async (type: string, id: string, _options, command: Command) => {
      await readStream(type, id, command.optsWithGlobals<ReadOptions>());
    });
}

async function readStream(type: string, id: string, options: ReadOptions): Promise<void> {
  const { from, to, backwards, json } = options;
  const api = connect(options);
  const query = new URLSearchParams({
    limit: PAGE,
    direction: backwards ? "backwards" : "forwards",
    ...(from !== undefined && { fromVersion: String(from) }),
    ...(to !== undefined && { toVersion: String(to) }),
  });
  let next: string | undefined =
    `/api/v1/streams/${encodeURIComponent(type)}/${encodeURIComponent(id)}?${query}`;
  let shown = 0;
  while (next !== undefined) {
    const page: Page<z.infer<typeof streamPage>> = await api.getPage(next, streamPage);
    if (shown === 0 && !json) {
      const closed = page.body.closedAt === undefined ? "" : `, closed at ${page.body.closedAt}`;
      console.log(`${type} ${id} is at version ${count(page.body.streamVersion)}${closed}\n`);
      console.log(eventTitles("version"));
    }
    for (const event of page.body.events) console.log(json ? jsonText(event) : eventLine(event, "version"));
    shown += page.body.events.length;
    next = page.next;
  }
}
