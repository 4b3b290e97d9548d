import { createHash, randomBytes } from "node:crypto";
import type { Inngest } from "inngest";
import { afterAll, beforeAll, expect, it } from "vitest";
import { contractFunctions, type Note } from "./contract-functions.ts";
import { openTestApp, type TestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

/** A server under test. */
export interface ServerUnderTest {
  readonly url: string;
  /** Hex. Without it the server is in development mode; with it the event key is "test". */
  readonly signingKey?: string;
  stop(): Promise<void>;
}

/** Starts a server under test, and lists the tests to skip. */
export interface InngestServerFactory {
  readonly name: string;
  /** Resolves when the server answers. It may ask `appUrl` to register; the contract registers in any case. */
  start(appUrl: string): Promise<ServerUnderTest>;
  /** Retry delay of the server, in milliseconds. */
  readonly retryDelay: number;
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

/** A server and an app with the contract's functions, with a client for the tests. */
export class ContractHarness {
  /** Unique prefix of the app id and the event names of this run. */
  readonly tag = `c${randomBytes(4).toString("hex")}`;
  readonly #factory: InngestServerFactory;
  readonly #notes: Note[] = [];
  #open: { app: TestApp; server: ServerUnderTest; client: Inngest } | undefined;

  constructor(factory: InngestServerFactory) {
    this.#factory = factory;
    beforeAll(() => this.#start());
    afterAll(async () => {
      await this.#open?.server.stop();
      await this.#open?.app.close();
    });
  }

  get app(): TestApp {
    return this.#opened().app;
  }
  get server(): ServerUnderTest {
    return this.#opened().server;
  }
  get client(): Inngest {
    return this.#opened().client;
  }
  /** Headers of an app for a server with a signing key. */
  get authorization(): Record<string, string> {
    const { signingKey } = this.server;
    if (signingKey === undefined) return {};
    const hash = createHash("sha256").update(Buffer.from(signingKey, "hex")).digest("hex");
    return { authorization: `Bearer ${hash}` };
  }
  get retryDelay(): number {
    return this.#factory.retryDelay;
  }

  /** Defines a test of the contract, skipped if the factory lists it. */
  check(name: string, test: () => Promise<void>): void {
    const skipped = this.#factory.skip?.find((entry) => entry.test === name);
    it.skipIf(skipped !== undefined)(skipped ? `${name} (not here: ${skipped.reason})` : name, test);
  }

  /** Returns the observations so far. */
  found(what: string, fits: (details: Record<string, unknown>) => boolean = () => true): Note[] {
    return this.#notes.filter((note) => note.what === what && fits(note.details));
  }

  send(name: string, data: Record<string, unknown> = {}, more: { id?: string } = {}) {
    return this.client.send({ name: `${this.tag}/${name}`, data, ...more });
  }

  /** Waits for a function's `inngest/function.finished`; with `k`, for the run whose event carries it. */
  async result(functionId: string, k?: unknown): Promise<Record<string, unknown>> {
    const end = await until(`${functionId} has finished`, () =>
      this.found("finished", ({ function_id, event }) => {
        return function_id === `${this.tag}-${functionId}` && (k === undefined || keyOf(event) === k);
      }).at(0),
    );
    return end.details;
  }

  /**
   * Sends one more event to a function and waits until its run has ended. A superfluous run of an earlier event has started
   * by then, so a test can check for it without a pause.
   */
  async runOneMore(functionId: string, data: Record<string, unknown> = {}, name = functionId): Promise<void> {
    const k = `one more ${randomBytes(4).toString("hex")}`;
    await this.send(name, { ...data, k });
    await this.result(functionId, k);
  }

  /** Posts a raw body to the event route. */
  async post(body: string, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.server.url}/e/test`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  async #start(): Promise<void> {
    const app = await openTestApp();
    const server = await this.#factory.start(app.url);
    const { signingKey } = server;
    const keyed = signingKey === undefined ? {} : { isDev: false, signingKey };
    const client = testClient(this.tag, server.url, keyed);
    this.#open = { app, server, client };
    const note = (what: string, details: Record<string, unknown> = {}) => {
      this.#notes.push({ what, details, at: Date.now() });
    };
    app.serve(client, contractFunctions(client, this.tag, note));
    const answer = await fetch(app.url, { method: "PUT", body: "{}" });
    expect(await answer.json()).toMatchObject({ message: "Successfully registered" });
  }

  #opened(): { app: TestApp; server: ServerUnderTest; client: Inngest } {
    if (this.#open === undefined) throw new Error("the contract's server has not been started");
    return this.#open;
  }
}

/** Returns the `k` by which a test recognises its event. */
export function keyOf(event: unknown): unknown {
  return (event as { data: { k?: unknown } }).data.k;
}
