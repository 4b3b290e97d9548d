import * as http from "node:http";
import * as https from "node:https";
import type { WebhookTarget } from "./webhook-target.ts";

/** The time limits of a request, in milliseconds. */
export interface RequestLimits {
  /** For the connection, with TLS. */
  readonly connectMs: number;
  /** For all of it, up to the status of the answer. */
  readonly requestMs: number;
}

/** The part of an answer that is looked at. Its body is not. */
export interface WebhookAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/** Sends one request. @throws when there is no answer */
export type WebhookPost = (
  body: Buffer,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<WebhookAnswer>;

/** Thrown when a request takes too long. */
export class WebhookTimeoutError extends Error {
  override readonly name = "WebhookTimeoutError";
  readonly code = "WEBHOOK_TIMEOUT";

  constructor(phase: "connect" | "request", limitMs: number) {
    super(`${phase === "connect" ? "There was no connection" : "There was no answer"} within ${limitMs} ms.`);
  }
}

/** More bytes of an answer end the connection. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Opens what sends requests to a receiver. Connections are kept, each to the address that it was made to. */
export function openWebhook(
  { url, lookup }: WebhookTarget,
  limits: RequestLimits,
  connections: number,
): { readonly post: WebhookPost; close(): void } {
  const client = url.protocol === "https:" ? https : http;
  const agent = new client.Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const send = (body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal) => {
    const request = client.request(url, {
      method: "POST",
      headers: { ...headers, "content-length": String(body.length) },
      agent,
      lookup,
      signal,
    });
    return { request, answer: answerTo(request, limits, body) };
  };
  return {
    post: async (body, headers, signal) => {
      for (let resets = 0; ; resets += 1) {
        const { request, answer } = send(body, headers, signal);
        try {
          return await answer;
        } catch (error) {
          // The receiver had ended a kept connection before the request was there.
          const isStale = request.reusedSocket && isReset(error) && !signal.aborted;
          if (!isStale || resets === connections) throw error;
        }
      }
    },
    close: () => agent.destroy(),
  };
}

function isReset(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

function answerTo(
  request: http.ClientRequest,
  { connectMs, requestMs }: RequestLimits,
  body: Buffer,
): Promise<WebhookAnswer> {
  return new Promise((resolve, reject) => {
    const whole = setTimeout(() => request.destroy(new WebhookTimeoutError("request", requestMs)), requestMs);
    const connecting = setTimeout(
      () => request.destroy(new WebhookTimeoutError("connect", connectMs)),
      connectMs,
    );
    request.once("socket", (socket) => {
      const connected = () => clearTimeout(connecting);
      if (!socket.connecting) return connected();
      socket.once("encrypted" in socket ? "secureConnect" : "connect", connected);
    });
    request.on("error", reject);
    request.once("close", () => {
      clearTimeout(whole);
      clearTimeout(connecting);
      reject(new Error("The connection ended without an answer."));
    });
    request.once("response", (response) => {
      clearTimeout(connecting);
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] });
      // The rest is read, within the limits, so that the connection can be used again.
      let bytes = 0;
      response.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy();
      });
      response.once("error", () => {});
    });
    // An upgrade or an early hint is no answer.
    request.once("upgrade", (_response, socket) => socket.destroy());
    request.end(body);
  });
}
