import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { ArchiveDestinationError, InvalidArchiveUrlError } from "../archive-destination.ts";
import { textOf } from "./s3-xml.ts";

/** Pauses before a request is sent again, in milliseconds. */
const PAUSES = [100, 500, 2000, 8000];
/** Milliseconds that a request may take which sends at most one part. */
const TIME_LIMIT = 600_000;

type Query = Readonly<Record<string, string>>;

/** Signed requests to one bucket. Each is sent again if the store can't be reached, is busy, or fails. */
export interface S3Client {
  readonly bucket: string;
  /** Throws `ArchiveDestinationError` for an answer that is no success. An empty key is the bucket itself. */
  send(method: string, key: string, query?: Query, body?: Uint8Array): Promise<Response>;
  /** The bytes of an object, or undefined if there is none. A reading that breaks off goes on where it was. */
  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The text, or an `ArchiveDestinationError` with the reason if there is none. */
  expectText(text: string | undefined, reason: string): string;
}

/** The variables of AWS that name a store and who asks. */
export type S3Environment = Readonly<Record<string, string | undefined>>;

/** Throws `InvalidArchiveUrlError` if the environment lacks a key. */
export function createS3Client(bucket: string, environment: S3Environment): S3Client {
  const destination = `s3://${bucket}`;
  const [accessKeyId, secretAccessKey] = [
    environment["AWS_ACCESS_KEY_ID"],
    environment["AWS_SECRET_ACCESS_KEY"],
  ];
  if (!accessKeyId || !secretAccessKey) {
    throw new InvalidArchiveUrlError(`${destination} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`);
  }
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  const region = environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"] || "us-east-1";
  const signer = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: "s3",
    ...(sessionToken && { sessionToken }),
  });
  const base = addressOf(
    bucket,
    region,
    environment["AWS_ENDPOINT_URL_S3"] || environment["AWS_ENDPOINT_URL"],
  );

  async function request(
    method: string,
    key: string,
    query: Query,
    headers: Query,
    body?: Uint8Array,
  ): Promise<Response> {
    const url = new URL(`${base}/${key}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    // With the hash in the signature, the store refuses bytes that changed on the way.
    const hash = createHash("sha256")
      .update(body ?? "")
      .digest("hex");
    for (let attempt = 0; ; attempt += 1) {
      const delay = PAUSES[attempt];
      let answer: Response;
      try {
        const signed = await signer.sign(url.href, {
          method,
          headers: { ...headers, "x-amz-content-sha256": hash },
          ...(body && { body }),
        });
        // A reading may take longer; Node.js ends one that brings nothing for five minutes.
        answer = await fetch(
          signed,
          method === "GET" && key !== "" ? {} : { signal: AbortSignal.timeout(TIME_LIMIT) },
        );
      } catch (cause) {
        if (delay === undefined) throw failed(reasonOf(cause), cause);
        await pause(delay);
        continue;
      }
      if (delay === undefined || (answer.status < 500 && answer.status !== 429)) return answer;
      await answer.body?.cancel();
      await pause(delay);
    }
  }

  async function send(method: string, key: string, query: Query = {}, body?: Uint8Array): Promise<Response> {
    const answer = await request(method, key, query, {}, body);
    if (!answer.ok) throw await refused(answer);
    return answer;
  }

  async function read(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const answer = await request("GET", key, {}, {});
    if (answer.ok) return bytesOf(key, answer);
    const error = await refused(answer);
    if (answer.status === 404 && !error.message.includes("NoSuchBucket")) return undefined;
    throw error;
  }

  async function* bytesOf(key: string, first: Response): AsyncIterable<Uint8Array> {
    const etag = first.headers.get("etag");
    const length = Number(first.headers.get("content-length") ?? Number.NaN);
    let answer = first;
    let position = 0;
    for (let attempt = 0; ; ) {
      try {
        for await (const bytes of answer.body ?? []) {
          yield bytes;
          position += bytes.length;
          attempt = 0;
        }
        return;
      } catch (cause) {
        if (position === length) return;
        const delay = PAUSES[attempt];
        if (delay === undefined || etag === null) throw failed(reasonOf(cause), cause);
        attempt += 1;
        await pause(delay);
        // If-Match: the rest of another file with the same name would be worse than none.
        answer = await request("GET", key, {}, { range: `bytes=${position}-`, "if-match": etag });
        if (answer.status !== 206) throw await refused(answer);
      }
    }
  }

  async function refused(answer: Response): Promise<ArchiveDestinationError> {
    const text = await answer.text();
    const reason = [textOf(text, "Code"), textOf(text, "Message")].filter(Boolean).join(": ");
    return failed(`HTTP ${answer.status}${reason && `, ${reason}`}`);
  }

  const failed = (reason: string, cause?: unknown) =>
    new ArchiveDestinationError(destination, reason.replace(/\.$/, ""), { cause });

  function expectText(text: string | undefined, reason: string): string {
    if (text === undefined) throw failed(reason);
    return text;
  }

  return { bucket, send, read, expectText };
}

/** Stores of others than AWS have the bucket in the path, which a name with dots needs at AWS too, for the sake of the certificate. */
function addressOf(bucket: string, region: string, endpoint: string | undefined): string {
  if (endpoint) {
    if (!/^https?:\/\/[^/?#]+(?:\/[^?#]*)?$/.test(endpoint)) {
      throw new InvalidArchiveUrlError("The endpoint of the archive is no URL with http or https.");
    }
    return `${endpoint.replace(/\/+$/, "")}/${bucket}`;
  }
  return bucket.includes(".")
    ? `https://s3.${region}.amazonaws.com/${bucket}`
    : `https://${bucket}.s3.${region}.amazonaws.com`;
}

/** fetch says "fetch failed", and the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
