import { once } from "node:events";
import { SubscriptionGapError, SynapProblem, SynapUnreachableError } from "@synap/client";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { connectionFault } from "../loading/connection-fault.ts";
import { eventLine, eventTitles } from "../terminal/event-line.ts";
import { jsonText } from "../terminal/table.ts";
import { type CommonOptions, connect } from "./connection.ts";

/** The events to show. */
export interface TailRequest {
  readonly from: "now" | "start" | number;
  readonly type?: readonly string[];
  readonly stream?: { readonly aggregateType: string; readonly aggregateId: string };
  readonly untilCaughtUp: boolean;
}

/**
 * Prints events until Ctrl-C. When the API becomes unavailable, it reconnects and continues after the last
 * event that was printed.
 *
 * @throws ExitError, and the client's errors when the API can't be reached at the beginning, or refuses
 */
export async function tailEvents(options: CommonOptions & TailRequest): Promise<void> {
  const { from, type, stream, untilCaughtUp, json } = options;
  const ended = new AbortController();
  const end = () => ended.abort();
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  let isConnected = false;
  let isWaiting = false;
  const onConnect = () => {
    if (!isConnected && !json) console.log(eventTitles("position"));
    if (isWaiting) console.error("Going on.");
    isConnected = true;
    isWaiting = false;
  };
  const onReconnect = (reason: unknown) => {
    if (!isConnected) throw reason;
    if (!isWaiting) console.error(`Waiting for the API: ${reasonOf(reason)}.`);
    isWaiting = true;
  };
  try {
    const events = connect(options).subscribe({
      from,
      ...(type !== undefined && { type }),
      ...(stream !== undefined && { stream }),
      signal: ended.signal,
      onConnect,
      onReconnect,
      onProgress: ({ caughtUp }) => {
        if (untilCaughtUp && caughtUp) end();
      },
    });
    for await (const event of events) {
      await print(json ? jsonText(event) : eventLine(event, "position"), ended.signal);
    }
  } catch (error) {
    if (ended.signal.aborted) return;
    if (!(error instanceof SubscriptionGapError)) throw error;
    throw new ExitError(EXIT.failed, error.message, { cause: error });
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

function reasonOf(reason: unknown): string {
  if (reason instanceof SynapProblem) return reason.message.replace(/\.$/, "");
  return connectionFault(reason instanceof SynapUnreachableError ? reason.cause : reason);
}

/** Waits until the reader of a pipe has read the output, so that a slow reader slows the tail down. */
async function print(line: string, signal: AbortSignal): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain", { signal });
}
