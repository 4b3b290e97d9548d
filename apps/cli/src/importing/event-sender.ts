import { z } from "zod";
import { connectionFault } from "./connection-fault.ts";
import type { EventLine, RejectedLine } from "./event-line.ts";
import { ImportError } from "./import-error.ts";
import { Patience, type PatienceOptions } from "./patience.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Destination of the events, and the limits on retries. */
export interface EventSenderOptions extends PatienceOptions {
  /** Send them as a backfill; needs the token. */
  readonly backfill: boolean;
  readonly token?: string;
}

/** Outcomes of the events of one batch. */
export interface SentEvents {
  accepted: number;
  duplicate: number;
  rejected: RejectedLine[];
}

const issueSchema = z.object({ path: z.string(), code: z.string(), reason: z.string() });
const resultSchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal(["accepted", "duplicate"]) }),
  issueSchema.extend({ status: z.literal("rejected") }),
]);
const answerSchema = z.object({ results: z.array(resultSchema) });
const problemSchema = z.object({
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
});

const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Sends events as one batch and reports the outcome of each. Tries again while the API is away (no connection, 429,
 * 5xx), waiting as long as it asks. A batch refused as a whole is halved until the
 * refused event stands alone.
 *
 * @throws ImportError `API_UNREACHABLE` when the time for retries ran out, `NOT_ALLOWED`, `NOT_SYNAP`
 */
export async function sendEvents(
  events: readonly EventLine[],
  options: EventSenderOptions,
): Promise<SentEvents> {
  const sent: SentEvents = { accepted: 0, duplicate: 0, rejected: [] };
  await sendInto(sent, events, options, new Patience(options));
  return sent;
}

async function sendInto(
  sent: SentEvents,
  events: readonly EventLine[],
  options: EventSenderOptions,
  patience: Patience,
): Promise<void> {
  const [first, ...others] = events;
  if (first === undefined) return;
  const { status, body } = await postPatiently(events, options, patience);
  const answer = answerSchema.safeParse(body);
  if (answer.success && answer.data.results.length === events.length) {
    tally(sent, events, answer.data.results);
    return;
  }
  const refusal = readRefusal(status, body, options);
  if (others.length === 0) {
    const { number, original } = first;
    sent.rejected.push({ kind: "rejected", number, path: "", ...refusal, original });
    return;
  }
  const middle = Math.ceil(events.length / 2);
  await sendInto(sent, events.slice(0, middle), options, patience);
  await sendInto(sent, events.slice(middle), options, patience);
}

function tally(
  sent: SentEvents,
  events: readonly EventLine[],
  results: readonly z.infer<typeof resultSchema>[],
): void {
  for (const [index, { number, original }] of events.entries()) {
    const result = results[index];
    if (result?.status === "rejected") {
      const { path, code, reason } = result;
      sent.rejected.push({ kind: "rejected", number, path, code, reason, original });
    } else if (result !== undefined) sent[result.status] += 1;
  }
}

/** Reason for refusing a whole request, when one of its events may be the cause. */
function readRefusal(
  status: number,
  body: unknown,
  options: EventSenderOptions,
): { code: string; reason: string } {
  const problem = problemSchema.safeParse(body).data ?? {};
  const reason = problem.detail ?? problem.title ?? `the API answered ${status}`;
  if (status === 401 || status === 403) {
    const cure = options.backfill
      ? "\nGive the API's backfill token with --token, or SYNAP_BACKFILL_TOKEN."
      : "";
    throw new ImportError("NOT_ALLOWED", `The API at ${options.url} does not allow this: ${reason}${cure}`);
  }
  if (status < 400 || status === 404 || status === 405) {
    throw new ImportError(
      "NOT_SYNAP",
      `${options.url} is not a Synap API (status ${status}). Check the URL.`,
    );
  }
  return { code: problem.code ?? `http-${status}`, reason };
}

/** Posts until an answer concerns the events, and not the state of the API. */
async function postPatiently(
  events: readonly EventLine[],
  options: EventSenderOptions,
  patience: Patience,
): Promise<{ status: number; body: unknown }> {
  const address = new URL("/api/v1/events/batch", options.url);
  if (options.backfill) address.searchParams.set("backfill", "true");
  const body = `{"events":[${events.map((event) => event.json).join(",")}]}`;
  for (;;) {
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(options.backfill && options.token !== undefined
            ? { authorization: `Bearer ${options.token}` }
            : {}),
        },
        body,
        signal: AbortSignal.any([options.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      });
      const answer = parseJson(await response.text());
      if (response.status !== 429 && response.status < 500) return { status: response.status, body: answer };
      const reason = problemSchema.safeParse(answer).data?.title ?? `it answered ${response.status}`;
      await patience.wait(reason, retryAfterMs(response.headers.get("retry-after")));
    } catch (error) {
      if (error instanceof ImportError) throw error;
      await patience.wait(connectionFault(error), undefined, error);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
