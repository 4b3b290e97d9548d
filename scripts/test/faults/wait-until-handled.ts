import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const statusSchema = z.object({
  events: z.object({ stored: z.number() }),
  handlers: z.array(z.object({ name: z.string(), lag: z.number() })),
});

/**
 * Waits until the store has at least as many events, no handler has any left to do, and nothing has changed for two
 * seconds.
 */
export async function waitUntilHandled(url: string, events: number, ms = 240_000): Promise<void> {
  const deadline = Date.now() + ms;
  let last = "";
  for (let quietFor = 0; quietFor < 2_000; quietFor += 200) {
    await sleep(200);
    const text = await ask(url);
    const { success, data } = statusSchema.safeParse(text);
    const now = JSON.stringify(data);
    const isDone = success && data.events.stored >= events && data.handlers.every(({ lag }) => lag === 0);
    if (!isDone || now !== last) quietFor = 0;
    last = now;
    if (Date.now() > deadline)
      throw new Error(`Not everything was stored and handled in ${ms / 1000} s: ${JSON.stringify(text)}`);
  }
}

async function ask(url: string): Promise<unknown> {
  try {
    return await (await fetch(`${url}/api/v1/status`, { signal: AbortSignal.timeout(5_000) })).json();
  } catch (error) {
    return String(error);
  }
}
