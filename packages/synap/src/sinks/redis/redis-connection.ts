import {
  type SinkCheckpoint,
  type SinkConnection,
  SinkEpochError,
  type SinkOutcome,
  SinkPositionError,
  type SinkRange,
  TransientHandlerError,
} from "@synap/handlers";
import type { StoredEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { APPEND } from "./append-script.ts";
import { RedisSinkError } from "./redis-errors.ts";

/** An entry of a stream: its fields and their values. */
export type RedisEntry = Readonly<Record<string, string>>;

/** The parts of a connection. */
export interface RedisParts {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly sink: string;
  /** Name of the keys of the sink. */
  readonly stream: string;
  readonly maxLength: number;
  /** The key of the stream that an event goes to. */
  keyOf(event: StoredEvent): string;
  entryOf(event: StoredEvent): RedisEntry;
  /** Receives what is unsafe about the server, which takes the events nevertheless. */
  warn(fault: string): void;
}

type Client = ReturnType<typeof createClient>;
type Driver = typeof import("redis");

/** Time for connecting, in milliseconds. */
const CONNECT_MS = 10_000;

/** Maximum number of fields of an entry: a script can't pass on many more. */
const MAX_FIELDS = 1_000;

/**
 * The key of a sink beside its stream. The part in braces is the stream's name, so that all of them are in one slot of a cluster, as a script
 * needs.
 */
export function keyBeside(stream: string, name: string): string {
  return `{${stream}}:${name}`;
}

/**
 * Connects to a server, and looks whether it keeps what is written to it.
 *
 * @throws RedisSinkError for a server that may lose it, or without the package; or when the server can't be reached
 */
export async function openRedis(parts: RedisParts): Promise<SinkConnection> {
  const { url, signal, sink, stream } = parts;
  const client = createClient(await loadDriver(sink), url, sink);
  // Waiting calls are rejected; without a listener the event itself would end the process.
  client.on("error", () => {});
  const close = async () => {
    if (client.isOpen) client.destroy();
  };
  signal.addEventListener("abort", close, { once: true });
  const connected = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } catch (error) {
      throw client.isReady && !isBusy(error)
        ? error
        : new TransientHandlerError("The Redis server of the sink is not available.", { cause: error });
    }
  };
  try {
    await connected(client.connect());
    await connected(checkServer(client, parts));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    checkpoint: () => connected(readCheckpoint(client, sink, stream)),
    apply: (events, range) => connected(append(client, parts, events, range)),
    close,
  };
}

/** @throws RedisSinkError for a URL that can't be read */
function createClient(driver: Driver, url: string, sink: string) {
  try {
    return driver.createClient({
      url,
      name: `synap-sink-${sink}`,
      // A lost connection ends the call. The sink opens it anew after a pause, and asks the server for its checkpoint then: by itself, the client
      // would repeat commands of which nobody knows whether they were run.
      disableOfflineQueue: true,
      socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false, keepAlive: true },
    });
  } catch {
    // Without its cause, which has the URL and so the password.
    throw new RedisSinkError(
      sink,
      "its url can't be read. It must be redis://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of the password as %XX.",
    );
  }
}

async function loadDriver(sink: string): Promise<Driver> {
  try {
    return await import("redis");
  } catch (error) {
    throw new RedisSinkError(
      sink,
      "the package redis is missing. Install it beside Synap: npm install redis@6",
      {
        cause: error,
      },
    );
  }
}

/** True for answers of a server that takes writes again by itself, or when somebody has given it room. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(OOM|LOADING|BUSY|READONLY|MASTERDOWN|MISCONF|NOREPLICAS)\b/.test(error.message)
  );
}

/** Refuses a server that removes keys to get room, or is too old for the script, and warns of one that keeps nothing when it ends. */
async function checkServer(client: Client, { sink, warn }: RedisParts): Promise<void> {
  const facts = new Map<string, string>();
  for (const line of (await client.info()).split("\r\n")) {
    const [name = "", value] = line.split(":", 2);
    if (value !== undefined) facts.set(name, value);
  }
  const version = facts.get("redis_version") ?? "";
  if (!(Number.parseInt(version, 10) >= 7))
    throw new RedisSinkError(
      sink,
      `it needs Redis 7 or later, or Valkey, and the server is Redis ${version}.`,
    );
  const policy = facts.get("maxmemory_policy") ?? "";
  // The keys of a sink never expire, so the policies for keys that do leave them alone.
  if (policy.startsWith("allkeys-"))
    throw new RedisSinkError(
      sink,
      `its maxmemory-policy is ${policy}: when memory runs short, it removes the stream or the checkpoint without a word. ` +
        "Set it to noeviction, or take a server of its own for the sink.",
    );
  if (facts.get("aof_enabled") === "0")
    warn(
      "its append-only file is off (appendonly no), so it loses entries when it ends. The sink fills up what is behind its checkpoint then, but not an event that was " +
        "tried again since the last snapshot.",
    );
}

async function readCheckpoint(
  client: Client,
  sink: string,
  stream: string,
): Promise<SinkCheckpoint | undefined> {
  const kept = await client.hGetAll(keyBeside(stream, "checkpoint"));
  const { sink: owner, position, epoch } = kept;
  if (position === undefined || epoch === undefined) return undefined;
  if (owner !== sink) throw ownedBy(sink, Number(position), owner ?? "");
  return { position: Number(position), epoch };
}

function ownedBy(sink: string, position: number, owner: string): SinkPositionError {
  return new SinkPositionError(sink, position, `but its stream belongs to the sink "${owner}"`);
}

async function append(
  client: Client,
  parts: RedisParts,
  events: readonly StoredEvent[],
  range: SinkRange,
): Promise<readonly SinkOutcome[]> {
  const { sink, stream, maxLength } = parts;
  const { entries, failed, blocked } = makeEntries(parts, events);
  if (blocked.size > 0) {
    // A batch is written as a whole or not at all.
    return events.map((event): SinkOutcome => {
      return failed.has(event) ? { status: "failed", error: failed.get(event) } : { status: "waiting" };
    });
  }
  const keys = [...new Set(entries.map(({ key }) => key))];
  const late = range.late === undefined ? "" : streamKey(range.late);
  const answer = await client.eval(APPEND, {
    keys: [keyBeside(stream, "checkpoint"), keyBeside(stream, "late"), ...keys],
    arguments: [
      ...[sink, `${range.from}`, range.fromEpoch, `${range.to}`, range.epoch, late, `${maxLength}`],
      ...entries.flatMap(({ key, position, values }) => [
        ...[`${keys.indexOf(key) + 1}`, `${position}`, `${values.length}`],
        ...values,
      ]),
    ],
  });
  checkAnswer(sink, range, Array.isArray(answer) ? answer.map(String) : []);
  return events.map(() => ({ status: "applied" }));
}

/** An entry to be written. */
interface NewEntry {
  readonly key: string;
  readonly position: number;
  /** Its fields, each with its value behind it. */
  readonly values: readonly string[];
}

/** Makes the entries of events. At most one event of each stream fails; the others of that stream are not tried. */
function makeEntries(parts: RedisParts, events: readonly StoredEvent[]) {
  const entries: NewEntry[] = [];
  const failed = new Map<StoredEvent, unknown>();
  const blocked = new Set<string>();
  for (const event of events) {
    if (blocked.has(streamKey(event))) continue;
    try {
      entries.push({
        key: parts.keyOf(event),
        position: event.position,
        values: valuesOf(parts.entryOf(event)),
      });
    } catch (error) {
      failed.set(event, error);
      blocked.add(streamKey(event));
    }
  }
  return { entries, failed, blocked };
}

/** Checks an entry, since the script could fail on it in the middle of a batch. */
function valuesOf(entry: RedisEntry): readonly string[] {
  const fields = Object.entries(entry);
  if (fields.length < 1 || fields.length > MAX_FIELDS)
    throw new RangeError(`An entry must have 1 to ${MAX_FIELDS} fields, not ${fields.length}.`);
  for (const [field, value] of fields)
    if (typeof value !== "string") throw new TypeError(`The field "${field}" of an entry must be a string.`);
  return fields.flat();
}

/** Throws for a batch that the script has refused. */
function checkAnswer(sink: string, { from, fromEpoch }: SinkRange, answer: readonly string[]): void {
  const [result, found = "", other = "", known, position] = answer;
  if (result === "done") return;
  if (result === "sink") throw ownedBy(sink, Number(other), found);
  if (result === "position")
    throw new SinkPositionError(sink, Number(found), `but the batch begins after ${from}`);
  if (result === "epoch") throw new SinkEpochError(sink, found, `and the batch follows epoch ${fromEpoch}`);
  const fault = `but the last entry of "${found}" is ${other}, and the sink wrote ${known}: it was deleted, or something else writes there`;
  throw new SinkPositionError(sink, Number(position), fault);
}
