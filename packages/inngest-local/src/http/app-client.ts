import http, { type IncomingHttpHeaders } from "node:http";
import https from "node:https";
import type { SigningKey } from "../signing/signing-key.ts";

/** Response of an app, of any status. */
export interface AppResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** True if the app has signed it, or if there is no signing key. */
  readonly isAuthentic: boolean;
}

/** A call that received no response. */
export class AppUnreachableError extends Error {
  readonly code = "APP_UNREACHABLE";
  override readonly name = "AppUnreachableError";
  /** True if the connection was refused, so that the app can't have started working. */
  readonly refused: boolean;

  constructor(url: string, cause: Error & { code?: unknown }) {
    super(`${new URL(url).origin} did not answer: ${cause.message || String(cause.code)}`, { cause });
    this.refused = cause.code === "ECONNREFUSED";
  }
}

/** HTTP client for apps, with kept-alive connections and, given a signing key, signed bodies. */
export class AppClient {
  readonly #http = new http.Agent({ keepAlive: true, maxFreeSockets: 64 });
  readonly #https = new https.Agent({ keepAlive: true, maxFreeSockets: 64 });
  readonly #key: SigningKey | undefined;
  readonly #timeout: number;

  /** @param timeout of a call, in milliseconds */
  constructor(key: SigningKey | undefined, timeout: number) {
    this.#key = key;
    this.#timeout = timeout;
  }

  /** @throws AppUnreachableError when no complete response arrived */
  async send(
    method: "POST" | "PUT",
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    signal?: AbortSignal,
  ): Promise<AppResponse> {
    const signed = {
      ...headers,
      "x-inngest-server-kind": this.#key === undefined ? "dev" : "cloud",
      "content-length": String(Buffer.byteLength(body)),
      ...(this.#key === undefined ? {} : { "x-inngest-signature": this.#key.sign(body, Date.now()) }),
    };
    try {
      return await this.#attempt(method, url, signed, body, signal);
    } catch (error) {
      // The app closed a kept-alive connection just now, which reveals nothing about it: try once more on a new one.
      if (!(error instanceof StaleConnectionError)) throw error;
      return await this.#attempt(method, url, signed, body, signal);
    }
  }

  /** Closes the idle connections. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #isAuthentic(signature: string | string[] | undefined, body: string): boolean {
    if (this.#key === undefined) return true;
    return typeof signature === "string" && this.#key.verifies(signature, body, Date.now());
  }

  #attempt(
    method: string,
    url: string,
    headers: Record<string, string>,
    body: string,
    signal: AbortSignal | undefined,
  ): Promise<AppResponse> {
    const secure = url.startsWith("https:");
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(url, {
        method,
        headers,
        agent: secure ? this.#https : this.#http,
        timeout: this.#timeout,
        ...(signal === undefined ? {} : { signal }),
      });
      let answering = false;
      request.on("response", (response) => {
        answering = true;
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", (error) => reject(new AppUnreachableError(url, error)));
        response.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            isAuthentic: this.#isAuthentic(response.headers["x-inngest-signature"], body),
          });
        });
      });
      request.on("timeout", () => request.destroy(new Error(`no response within ${this.#timeout} ms`)));
      request.on("error", (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && !answering && error.code === "ECONNRESET";
        reject(stale ? new StaleConnectionError(url, error) : new AppUnreachableError(url, error));
      });
      request.end(body);
    });
  }
}

class StaleConnectionError extends AppUnreachableError {}
