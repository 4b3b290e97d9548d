import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { EventLine, RejectedLine } from "./event-line.ts";
import { ImportError } from "./import-error.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Where events are sent, and how stubbornly. */
export interface EventSenderOptions {
  /** The API's base URL. */
  readonly url: string;
  /** Say that these are old events; needs the token. */
  readonly backfill: boolean;
  readonly token?: string;
  /** How long one batch is tried again while the API is away or busy, in milliseconds. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Told when a batch has to wait, and why. */
  readonly onWait?: (reason: string, ms: number) => void;
}

/** What became of the events of one batch. */
export interface SentEvents {
  accepted: number;
  duplicate: number;
  rejected: RejectedLine[];
}

const issueSchema = z.object({ path: z.string(), code: z.string(), reason: z.string() });
const resultSchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("accepted") }),
  z.object({ status: z.literal("duplicate") }),
  z.object({ status: z.literal("rejected"), issues: z.array(issueSchema) }),
]);
const answerSchema = z.object({ results: z.array(resultSchema) });
const problemSchema = z.object({
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
});

const REQUEST_TIMEOUT_MS = 60_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/**
 * Sends events as one batch and reports what became of each. Tries again while the API is away (no connection, 429,
 * 5xx), waiting as long as it asks. A batch refused as a whole is halved until the refused event stands alone.
 *
 * @throws ImportError `API_UNREACHABLE` when patience ran out, `NOT_ALLOWED`, `NOT_SYNAP`
 */
export async function sendEvents(
  events: readonly EventLine[],
  options: EventSenderOptions,
): Promise<SentEvents> {
  if (events.length === 0) return { accepted: 0, duplicate: 0, rejected: [] };
  const response = await postPatiently(
    `{"events":[${events.map((event) => event.json).join(",")}]}`,
    options,
  );
  const body = await readJson(response);
  const answer = answerSchema.safeParse(body);
  if (answer.success && answer.data.results.length === events.length)
    return tally(events, answer.data.results);
  const problem = problemSchema.safeParse(body).data ?? {};
  const reason = problem.detail ?? problem.title ?? `the API answered ${response.status}`;
  if (response.status === 401 || response.status === 403) {
    const cure = options.backfill
      ? "Give the API's backfill token with --token, or SYNAP_BACKFILL_TOKEN."
      : "";
    throw new ImportError(
      "NOT_ALLOWED",
      `The API at ${options.url} does not allow this: ${reason}\n${cure}`.trim(),
    );
  }
  const isRefusal = response.status >= 400 && response.status < 500 && response.status !== 404;
  if (!isRefusal) {
    throw new ImportError(
      "NOT_SYNAP",
      `${options.url} does not answer like Synap's API (status ${response.status}). Is the URL right?`,
    );
  }
  const [only, ...others] = events;
  if (only !== undefined && others.length === 0) {
    const { number, original } = only;
    const rejected = {
      kind: "rejected",
      number,
      code: problem.code ?? `http-${response.status}`,
      path: "",
      reason,
      original,
    } as const;
    return { accepted: 0, duplicate: 0, rejected: [rejected] };
  }
  const middle = Math.ceil(events.length / 2);
  const first = await sendEvents(events.slice(0, middle), options);
  const second = await sendEvents(events.slice(middle), options);
  return {
    accepted: first.accepted + second.accepted,
    duplicate: first.duplicate + second.duplicate,
    rejected: [...first.rejected, ...second.rejected],
  };
}

function tally(events: readonly EventLine[], results: readonly z.infer<typeof resultSchema>[]): SentEvents {
  const sent: SentEvents = { accepted: 0, duplicate: 0, rejected: [] };
  for (const [index, event] of events.entries()) {
    const result = results[index];
    if (result?.status === "accepted") sent.accepted += 1;
    if (result?.status === "duplicate") sent.duplicate += 1;
    if (result?.status !== "rejected") continue;
    const [issue = { path: "", code: "rejected", reason: "The API gave no reason." }] = result.issues;
    sent.rejected.push({ kind: "rejected", number: event.number, ...issue, original: event.original });
  }
  return sent;
}

async function postPatiently(body: string, options: EventSenderOptions): Promise<Response> {
  const giveUpAt = Date.now() + options.patienceMs;
  for (let attempt = 0; ; attempt++) {
    const tried = await post(body, options);
    if (tried.response !== undefined) return tried.response;
    options.signal.throwIfAborted();
    const backoff = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
    const wait = tried.askedMs ?? backoff * (0.5 + Math.random() / 2);
    if (Date.now() + wait > giveUpAt) {
      throw new ImportError(
        "API_UNREACHABLE",
        `The API at ${options.url} can't take events: ${tried.reason}`,
        {
          cause: tried.cause,
        },
      );
    }
    options.onWait?.(tried.reason, wait);
    await sleep(wait, undefined, { signal: options.signal });
  }
}

interface Tried {
  response?: Response;
  reason: string;
  askedMs?: number;
  cause?: unknown;
}

async function post(body: string, options: EventSenderOptions): Promise<Tried> {
  try {
    const response = await fetch(new URL("/api/v1/events/batch", options.url), {
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
    if (response.status !== 429 && response.status < 500) return { response, reason: "" };
    await response.body?.cancel();
    const askedMs = retryAfterMs(response.headers.get("retry-after"));
    const reason = response.status === 429 ? "it is busy (429)" : `it answered ${response.status}`;
    return { reason, ...(askedMs === undefined ? {} : { askedMs }) };
  } catch (cause) {
    return { reason: connectionFault(cause), cause };
  }
}

/** What went wrong with a connection, as a person would say it. */
export function connectionFault(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    return cause.code === "ECONNREFUSED"
      ? "nothing listens there (ECONNREFUSED)"
      : `no connection (${cause.code})`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
