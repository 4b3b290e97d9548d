import { sleep } from "./backoff.ts";
import type { CallOptions, EventTypeMap, StoredEventIn } from "./contract.ts";
import { createEvents } from "./events.ts";
import type { Transport } from "./transport.ts";

/** There is no handler or projection of this name. */
export class UnknownHandlerError extends Error {
  override readonly name = "UnknownHandlerError";
  readonly code = "handler-unknown";

  constructor(handler: string, known: readonly string[]) {
    super(`There is no handler or projection "${handler}". There are: ${known.join(", ") || "none"}.`);
  }
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

/** Asks again and again, at growing intervals, until there is a response. */
async function poll<Answer>(ask: () => Promise<Answer | undefined>, signal?: AbortSignal): Promise<Answer> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.5)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(pause, signal);
  }
}

/**
 * Waits until a handler or projection has dealt with the events up to a position, so that a reader sees what was written.
 * @throws UnknownHandlerError, and the signal's reason
 *
 * @internal
 */
export async function waitForHandler(
  transport: Transport,
  position: number,
  name: string,
  { signal }: CallOptions,
): Promise<void> {
  await poll(async () => {
    const { handlers } = await transport.call("status", { signal });
    const known = handlers.map((each) => each.projection ?? each.name);
    if (!known.includes(name)) throw new UnknownHandlerError(name, [...new Set(known)]);
    // Of a projection's builds readers see the live one; each of its segments has a checkpoint.
    const own = handlers.filter(
      (each) => each.name === name || (each.projection === name && each.role === "live"),
    );
    return own.length > 0 && own.every(({ checkpoint }) => checkpoint >= position) ? true : undefined;
  }, signal);
}

/** Waits until a published event is stored, and gives it as it is stored. @throws the signal's reason @internal */
export function waitUntilStored<Types extends EventTypeMap>(
  transport: Transport,
  id: string,
  { signal }: CallOptions,
): Promise<StoredEventIn<Types>> {
  const events = createEvents<Types>(transport);
  return poll(() => events.getEvent(id, { signal }), signal);
}
