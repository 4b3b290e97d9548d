import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { connectionFault } from "../importing/connection-fault.ts";
import { jsonText } from "../terminal/table.ts";
import { storedEvent } from "./answers.ts";
import type { ApiClient } from "./api-client.ts";
import { CliError } from "./cli-error.ts";
import { type CommonOptions, connect } from "./connection.ts";
import { eventLine, eventTitles } from "./event-line.ts";
import { EXIT } from "./exit-codes.ts";
import { readFrames } from "./read-frames.ts";

/** What to show. */
export interface TailRequest {
  readonly from: string;
  readonly type?: readonly string[];
  readonly stream?: { readonly aggregateType: string; readonly aggregateId: string };
  readonly untilCaughtUp: boolean;
}

/** How long to wait before trying again when the API was lost, in milliseconds. */
const PAUSE_MS = 1_000;

const progress = z.looseObject({ caughtUp: z.boolean() });
const problem = z.looseObject({ title: z.string(), detail: z.string() });

/** Where a tail stands: what to send to go on. */
interface TailPlace {
  lastId: string | undefined;
  caughtUp: boolean;
}

/**
 * Prints events until Ctrl-C. An API that goes away in the middle is waited for, and the tail goes on after the last
 * event that was printed.
 *
 * @throws CliError when the API can't be reached at the beginning, or refuses
 */
export async function tailEvents(options: CommonOptions & TailRequest): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const api = connect(options);
  const place: TailPlace = { lastId: undefined, caughtUp: false };
  let saidWaiting = false;
  try {
    for (let first = true; !ended.signal.aborted; first = false) {
      const lost = await follow(api, options, place, ended.signal, () => {
        if (first && !options.json) console.log(eventTitles("position"));
        if (saidWaiting) console.error("Going on.");
        saidWaiting = false;
      }).catch((error: unknown) => {
        if (ended.signal.aborted) return undefined;
        if (!first && error instanceof CliError && error.exitCode === EXIT.unreachable)
          return "it can't be reached";
        throw error;
      });
      if (ended.signal.aborted || (options.untilCaughtUp && place.caughtUp)) return;
      if (!saidWaiting) console.error(`Waiting for the API: ${lost}.`);
      saidWaiting = true;
      await sleep(PAUSE_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

/** One connection. Resolves with the reason when it ends before it should. */
async function follow(
  api: ApiClient,
  options: CommonOptions & TailRequest,
  place: TailPlace,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<string> {
  const resume = place.lastId === undefined ? {} : { "last-event-id": place.lastId };
  const response = await api.openAdmin(`/events/tail?${queryOf(options)}`, resume, signal);
  onOpen();
  try {
    for await (const { event, id, data } of readFrames(response)) {
      if (event === "problem") {
        const { title, detail } = problem.parse(JSON.parse(data));
        return `${title}: ${detail.replace(/\.$/, "")}`;
      }
      if (event === "message") {
        const stored = storedEvent.parse(JSON.parse(data));
        await print(options.json ? jsonText(stored) : eventLine(stored, "position"), signal);
      }
      if (event === "progress") place.caughtUp = progress.parse(JSON.parse(data)).caughtUp;
      // Only what was printed counts as seen.
      place.lastId = id ?? place.lastId;
      if (options.untilCaughtUp && place.caughtUp) return "";
    }
    return "it has ended the tail";
  } catch (error) {
    if (error instanceof z.ZodError)
      throw new CliError(EXIT.refused, "The API sent something that is no event.");
    return connectionFault(error);
  }
}

function queryOf({ from, type, stream }: TailRequest): URLSearchParams {
  const query = new URLSearchParams({ from, ...stream });
  for (const each of type ?? []) query.append("type", each);
  return query;
}

/** Waits until the reader of a pipe has taken what came before: what it does not take is not read from the API. */
async function print(line: string, signal: AbortSignal): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain", { signal });
}
