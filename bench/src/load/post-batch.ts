import { Agent, type IncomingMessage, request } from "node:http";
import { z } from "zod";

/** The API's response to a batch. */
export interface BatchResponse {
  /** 0 when no response came: the connection failed, or the time ran out. */
  readonly status: number;
  /** In seconds. */
  readonly retryAfter: number | undefined;
  /** Events that the API has accepted or already knows. */
  readonly accepted: readonly number[];
  /** Reason for a missing answer, or text of a refusal. */
  readonly reason: string;
}

const resultsSchema = z.object({ results: z.array(z.object({ index: z.number(), status: z.string() })) });

/**
 * Posts batches over connections that are kept. Not the client: a load is made of single attempts, of bytes prepared before, and
 * shares the machine with what it measures.
 */
export class BatchPoster {
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #timeoutMs: number;

  constructor(apiUrl: string, { connections, timeoutMs }: { connections: number; timeoutMs: number }) {
    this.#url = new URL("/api/v1/events/batch", apiUrl);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects. */
  post(body: Buffer): Promise<BatchResponse> {
    return new Promise((resolve) => {
      const fail = (error: Error) =>
        resolve({ status: 0, retryAfter: undefined, accepted: [], reason: error.message });
      const sending = request(
        this.#url,
        {
          method: "POST",
          agent: this.#agent,
          headers: { "content-type": "application/json", "content-length": body.length },
          signal: AbortSignal.timeout(this.#timeoutMs),
        },
        (response) => {
          read(response).then(resolve, fail);
        },
      );
      sending.once("error", fail);
      sending.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function read(response: IncomingMessage): Promise<BatchResponse> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const retryAfter = response.headers["retry-after"];
  return {
    status: response.statusCode ?? 0,
    retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
    accepted: acceptedOf(text),
    reason: text.slice(0, 300),
  };
}

/** A 503 may have results too: part of the batch was taken. */
function acceptedOf(text: string): number[] {
  const answer = resultsSchema.safeParse(JSON.parse(text));
  if (!answer.success) return [];
  return answer.data.results.flatMap(({ index, status }) =>
    status === "accepted" || status === "duplicate" ? [index] : [],
  );
}
