import { z } from "zod";
import { connectionFault } from "../importing/connection-fault.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-codes.ts";

/** How long an answer to a question may take, in milliseconds. What changes something may take longer. */
const PATIENCE_MS = 60_000;

const problemDocument = z.looseObject({
  code: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
});

/** Where the API is, and what opens it. */
export interface ApiAddress {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
  /** Where the token comes from, or would have come from. */
  readonly tokenSource: string;
  readonly actor: string | undefined;
}

/** One page, and where the next one is. */
export interface Page<T> {
  readonly body: T;
  /** A path, from the header Link. */
  readonly next: string | undefined;
}

/** Synap's HTTP API as the commands use it. Every failure is a CliError that says what to do. */
export class ApiClient {
  readonly #address: ApiAddress;

  constructor(address: ApiAddress) {
    this.#address = address;
  }

  /** Where the API is. */
  get url(): string {
    return this.#address.url;
  }

  /** Whether a token was found. */
  get hasToken(): boolean {
    return this.#address.token !== undefined;
  }

  /** Asks a public route. @throws CliError */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return (await this.getPage(path, schema)).body;
  }

  /** Asks a public route that answers page by page. @throws CliError */
  async getPage<T>(path: string, schema: z.ZodType<T>): Promise<Page<T>> {
    const response = await this.#send(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const next = /<([^>]+)>; rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
    return { body: await this.#parse(response, schema), next };
  }

  /** Asks an admin route, named without `/api/v1/admin`. @throws CliError */
  async getAdmin<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const init = { headers: await this.#adminHeaders(), signal: AbortSignal.timeout(PATIENCE_MS) };
    return this.#parse(await this.#send(`/api/v1/admin${path}`, init), schema);
  }

  /** Posts to an admin route. @throws CliError */
  async postAdmin<T>(path: string, schema: z.ZodType<T>, body: object = {}): Promise<T> {
    const response = await this.#send(`/api/v1/admin${path}`, {
      method: "POST",
      headers: { ...(await this.#adminHeaders()), "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return this.#parse(response, schema);
  }

  /** Opens an admin route whose answer does not end. @throws CliError */
  async openAdmin(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const own = await this.#adminHeaders();
    return this.#send(`/api/v1/admin${path}`, { headers: { ...headers, ...own }, signal });
  }

  async #adminHeaders(): Promise<Record<string, string>> {
    const { token, actor, tokenSource } = this.#address;
    if (token === undefined) {
      // Where nothing runs, no token can have been made: that is the first thing to say.
      await this.#send("/healthz", { signal: AbortSignal.timeout(PATIENCE_MS) });
      throw new CliError(
        EXIT.token,
        `This needs the admin token, and there is none at ${tokenSource}.\n` +
          "Give it with --token or SYNAP_ADMIN_TOKEN, or name the data directory of a Synap that was started here\n" +
          "with --data: npm start keeps its token there.",
      );
    }
    return { authorization: `Bearer ${token}`, ...(actor !== undefined && { "x-synap-actor": actor }) };
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.#address.url}${path}`, init);
    } catch (cause) {
      throw new CliError(
        EXIT.unreachable,
        `The API at ${this.#address.url} can't be reached: ${connectionFault(cause)}.\n` +
          "Start Synap with npm start, or give the address of one that runs with --url or SYNAP_URL.",
        { cause },
      );
    }
    if (response.ok) return response;
    throw await this.#refusal(response);
  }

  async #refusal(response: Response): Promise<CliError> {
    const parsed = problemDocument.safeParse(parseJson(await response.text()));
    if (!parsed.success) return this.#notSynap(`it answered ${response.status} without saying why`);
    const { code, title, detail } = parsed.data;
    const { url, tokenSource } = this.#address;
    if (code === "admin-disabled") {
      return new CliError(
        EXIT.token,
        `The API at ${url} has no admin token, so nobody can operate it. Set SYNAP_ADMIN_TOKEN (16 characters or more)\n` +
          "for its process and start it again.",
        { problem: code },
      );
    }
    if (code === "token-invalid" || code === "token-missing") {
      return new CliError(
        EXIT.token,
        `The API at ${url} does not accept the admin token from ${tokenSource}.\n` +
          "Give the one that its process was started with: --token or SYNAP_ADMIN_TOKEN, or --data with its data directory.",
        { problem: code },
      );
    }
    return new CliError(EXIT.refused, `${title}: ${detail}`, { problem: code });
  }

  async #parse<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
    const parsed = schema.safeParse(parseJson(await response.text()));
    if (parsed.success) return parsed.data;
    throw this.#notSynap("its answer has another form than this release expects");
  }

  #notSynap(reason: string): CliError {
    return new CliError(
      EXIT.refused,
      `What answers at ${this.#address.url} does not look like this release of Synap: ${reason}.\n` +
        "Look at the address (--url, SYNAP_URL) and at the release that runs there.",
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
