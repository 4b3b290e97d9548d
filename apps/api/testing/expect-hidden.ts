import { expect } from "vitest";
import type { HiddenLog } from "./hidden-log.ts";

/** A request, as far as it holds texts that its answer may repeat. */
export interface SentRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
}

/** An answer with all that a client receives. */
export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends a request and receives the whole answer. */
export async function send(
  url: string,
  { method = "GET", path, headers, body }: SentRequest,
  token: string | undefined,
): Promise<ReceivedAnswer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(method === "POST" && { "content-type": "application/json" }),
      // What a proxy forwards is nobody's.
      ...(token === undefined ? { "x-forwarded-for": "203.0.113.7" } : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(method === "POST" && { body: JSON.stringify(body ?? {}) }),
    signal: AbortSignal.timeout(60_000),
  });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await (isLive(response) ? textUntilCaughtUp(response) : response.text()),
  };
}

function isLive({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/** The text of a live stream up to the frame that has everything stored, and then the client leaves. */
async function textUntilCaughtUp({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('"caughtUp":true')) break;
  }
  return text;
}

/** The hidden texts and numbers that an answer has and its request did not have. */
export function hiddenIn(
  { texts, numbers }: HiddenLog,
  request: SentRequest,
  { headers, text }: Pick<ReceivedAnswer, "headers" | "text">,
): (string | number)[] {
  const { date: _, "x-request-id": __, "content-length": ___, ...rest } = headers;
  const sent = readable(
    `${decodeURIComponent(request.path)} ${JSON.stringify([request.headers, request.body])}`,
  );
  const received = readable(`${JSON.stringify(rest)} ${decodeURIComponent(text.replaceAll("%", "%25"))}`);
  const sentNumbers = numbersIn(sent);
  const receivedNumbers = numbersIn(received);
  return [
    ...texts.filter((hidden) => received.includes(hidden) && !sent.includes(hidden)),
    ...[...numbers].filter((hidden) => receivedNumbers.has(hidden) && !sentNumbers.has(hidden)),
  ];
}

/** Fails if an answer has a hidden text or number, or leads to one by a cursor. */
export function expectHidden(log: HiddenLog, request: SentRequest, answer: ReceivedAnswer): void {
  const { method = "GET", path } = request;
  expect([method, path, hiddenIn(log, request, answer)]).toEqual([method, path, []]);
}

/** A text followed by the content of the cursors in it. */
function readable(text: string): string {
  const cursors = (text.match(/[\w-]{16,}/g) ?? []).map((word) => Buffer.from(word, "base64url").toString());
  return [text, ...cursors.filter((content) => content.startsWith("[1,"))].join(" ");
}

const ID_OR_TIME = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/** The whole numbers in a text, without those in ids and times. */
function numbersIn(text: string): ReadonlySet<number> {
  return new Set((text.replaceAll(ID_OR_TIME, " ").match(/(?<![\w.-])\d+(?![\w-])/g) ?? []).map(Number));
}
