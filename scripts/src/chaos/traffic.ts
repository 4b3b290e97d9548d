import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "@synap/types";
import { z } from "zod";
import type { Random } from "../stress/random.ts";
import type { Ledger, SentEvent, StoredPosition } from "./ledger.ts";

export interface TrafficOptions {
  /** The APIs' base URLs. Every request goes to one of them at random. */
  readonly apiUrls: readonly [string, ...string[]];
  readonly ledger: Ledger;
  readonly random: Random;
  /** Aborted when it is time to end. */
  readonly stop: AbortSignal;
  /** Distinguishes this run's idempotency keys and streams from those of other runs. */
  readonly run: string;
}

/** Streams to which all clients write. */
const HOT_STREAMS = 4;
/** Period in which all clients share the same idempotency keys, in milliseconds. */
const KEY_PERIOD_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Attempts at one request while the run lasts. What is unknown after that is sent again at the end of the run. */
const ATTEMPTS = 3;

interface Move {
  readonly share: number;
  readonly move: (client: Client) => Promise<void>;
}

const MOVES: readonly [Move, ...Move[]] = [
  { share: 35, move: (client) => client.publishOne() },
  { share: 25, move: (client) => client.publishBatch() },
  { share: 15, move: (client) => client.publishWithSharedKey() },
  { share: 25, move: (client) => client.appendExpectingVersion() },
];

/** One client: sends one request after the other, each of a kind chosen at random, until it is stopped. */
export async function runClient(options: TrafficOptions): Promise<void> {
  const client = new Client(options);
  while (!options.stop.aborted) {
    await options.random.pickByShare(MOVES).move(client);
    await sleep(options.random.pause(40));
  }
}

interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

const batchResponseSchema = z.object({
  results: z.array(z.object({ index: z.number(), status: z.string() })),
});
const appendResponseSchema = z.object({
  events: z.array(z.object({ id: z.string(), position: z.number(), streamVersion: z.number() })),
});
const streamResponseSchema = z.object({ streamVersion: z.number() });

class Client {
  readonly #options: TrafficOptions;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** POST /api/v1/events: a hot stream, or a new one. */
  async publishOne(): Promise<void> {
    await this.#publishSingle(this.#options.random.happens(0.4) ? this.#hotEvent() : this.#coldEvent());
  }

  /** Several clients send events of their own under the same key at the same time: one of them must be stored. */
  async publishWithSharedKey(): Promise<void> {
    const { random, run } = this.#options;
    const period = Math.floor(performance.now() / KEY_PERIOD_MS);
    const name = `${run}-key-${period}-${random.whole(0, 2)}`;
    await this.#publishSingle({
      ...event("product.stock_updated", "product", name, { newQuantity: period }),
      idempotencyKey: name,
    });
  }

  /** POST /api/v1/events/batch with hot and cold events mixed. */
  async publishBatch(): Promise<void> {
    const { random, ledger } = this.#options;
    const events = Array.from({ length: random.whole(2, 30) }, () =>
      random.happens(0.5) ? this.#hotEvent() : this.#coldEvent(),
    );
    const send = async () => {
      const answer = await this.#request("POST", "/api/v1/events/batch", { events });
      const results = batchResponseSchema.safeParse(answer?.body);
      for (const [index, { id }] of events.entries()) {
        const status = results.data?.results.find((result) => result.index === index)?.status;
        if (status === "accepted" || status === "duplicate") ledger.accepted(id);
        else if (status === "rejected" || (answer !== undefined && isRefusal(answer))) ledger.refused(id);
        else ledger.unanswered(id);
      }
      return answer !== undefined && answer.status < 500;
    };
    for (const each of events) ledger.sending(each, () => this.#resendAlone(each));
    await this.#attempt(send);
  }

  /** Reads a hot stream's version and appends to it if it is still there: of several clients, one wins. */
  async appendExpectingVersion(): Promise<void> {
    const { random, ledger, run } = this.#options;
    const aggregateId = `${run}-decided-${random.whole(1, HOT_STREAMS)}`;
    const path = `/api/v1/streams/product/${aggregateId}`;
    const before = await this.#request("GET", `${path}?limit=1`);
    if (before === undefined || (before.status !== 200 && before.status !== 404)) return;
    const expected = before.status === 404 ? 0 : streamResponseSchema.parse(before.body).streamVersion;
    const events = Array.from({ length: random.whole(1, 3) }, () =>
      event("product.stock_updated", "product", aggregateId, { newQuantity: random.whole(0, 1_000) }),
    );
    const body = {
      expectedVersion: expected,
      events: events.map(({ id, type, timestamp, data }) => ({ id, type, timestamp, data })),
    };
    const send = async () => {
      const answer = await this.#request("POST", `${path}/events`, body);
      const stored = appendResponseSchema.safeParse(answer?.body);
      for (const { id } of events) {
        const event = stored.data?.events.find((one) => one.id === id);
        if (answer !== undefined && answer.status < 300 && event !== undefined) {
          ledger.accepted(id, toStoredPosition(event));
        } else if (answer !== undefined && isRefusal(answer)) ledger.refused(id);
        else ledger.unanswered(id);
      }
      return answer !== undefined && answer.status < 500;
    };
    const resend = async () => void (await send());
    for (const each of events) ledger.sending(each, resend);
    await this.#attempt(send);
  }

  async #publishSingle(sent: SentEvent): Promise<void> {
    this.#options.ledger.sending(sent, () => this.#resendAlone(sent));
    await this.#attempt(() => this.#sendSingle(sent));
  }

  async #resendAlone(sent: SentEvent): Promise<void> {
    await this.#sendSingle(sent);
  }

  async #sendSingle(sent: SentEvent): Promise<boolean> {
    const { ledger } = this.#options;
    const answer = await this.#request("POST", "/api/v1/events", sent);
    if (answer !== undefined && answer.status < 300) ledger.accepted(sent.id);
    else if (answer !== undefined && isRefusal(answer)) ledger.refused(sent.id);
    else ledger.unanswered(sent.id);
    return answer !== undefined && answer.status < 500;
  }

  /** Sends again after a while, as every sensible client does, until the response is definite. */
  async #attempt(send: () => Promise<boolean>): Promise<void> {
    const { random, stop } = this.#options;
    for (let attempt = 1; !(await send()) && attempt < ATTEMPTS && !stop.aborted; attempt += 1) {
      await sleep(random.pause(1_500), undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /**
   * One attempt, on either API: the ledger keeps the response of each, so this is not the client, which would try again.
   *
   * @returns undefined when there was no response, or none in time
   */
  async #request(method: "GET" | "POST", path: string, body?: object): Promise<ApiResponse | undefined> {
    const { apiUrls, random } = this.#options;
    try {
      const response = await fetch(`${random.pick(apiUrls)}${path}`, {
        method,
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        ...(body !== undefined && {
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      });
      return { status: response.status, body: await response.json() };
    } catch {
      return undefined;
    }
  }

  #hotEvent(): SentEvent {
    const { random, run } = this.#options;
    const product = `${run}-hot-${random.whole(1, HOT_STREAMS)}`;
    const [oldPrice, newPrice] = [random.whole(1, 1_000), random.whole(1, 1_000)];
    return event("product.price_changed", "product", product, { oldPrice, newPrice });
  }

  /** A note (inline read model and reactor) or a task (asynchronous read models), each with a new stream. */
  #coldEvent(): SentEvent {
    const id = randomUUID();
    return this.#options.random.happens(0.3)
      ? event("note.creation.requested", "note", id, { content: `note ${id}` })
      : event("task.created", "task", id, { title: `task ${id}`, assigneeId: "chaos" });
  }
}

function event(type: string, aggregateType: string, aggregateId: string, data: JsonObject): SentEvent {
  return {
    id: randomUUID(),
    type,
    timestamp: new Date().toISOString(),
    aggregateType,
    aggregateId,
    data,
  };
}

/** A 4xx that a further attempt would get as well. 408 and 429 ask for one; 425 too. */
function isRefusal({ status }: ApiResponse): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

function toStoredPosition({ position, streamVersion }: StoredPosition): StoredPosition {
  return { position, streamVersion };
}
