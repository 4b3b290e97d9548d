import { setTimeout as sleep } from "node:timers/promises";
import { createSynapEvent } from "@synap/types";
import { clock } from "../load/load-plan.ts";

/** Result of a small request. */
export interface Probe {
  /** When it was sent: milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
  /** HTTP status; 0 when no response came in time. */
  readonly status: number;
}

/** A single event that was posted. */
export interface PostProbe extends Probe {
  readonly id: string;
}

/** The source of the events that probes post. */
export const PROBE_SOURCE = "bench-probe";

const PATIENCE_MS = 10_000;

/** Posts one event, as a client that is not part of the load. Never rejects. */
export async function probePost(apiUrl: string): Promise<PostProbe> {
  const event = createSynapEvent({
    type: "customer.profile_updated",
    aggregateId: "probe",
    data: { changes: { phone: "+91 20 5550 1234" } },
    source: PROBE_SOURCE,
  });
  const probe = await ask(`${apiUrl}/api/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(event),
  });
  return { ...probe, id: event.id };
}

/** Asks for the status, which reads the store. Never rejects. */
export function probeStatus(apiUrl: string): Promise<Probe> {
  return ask(`${apiUrl}/api/v1/status`);
}

/** Begins a probe every so many milliseconds, whether those before are answered or not, until it is ended. */
export function probeSteadily<One extends Probe>(
  probe: () => Promise<One>,
  everyMs: number,
): { end(): Promise<One[]> } {
  const stopping = new AbortController();
  const probes: Promise<One>[] = [];
  const work = (async () => {
    const began = performance.now();
    for (let sent = 0; !stopping.signal.aborted; sent += 1) {
      probes.push(probe());
      const wait = began + (sent + 1) * everyMs - performance.now();
      await sleep(Math.max(0, wait), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    end: async () => {
      stopping.abort();
      await work;
      return Promise.all(probes);
    },
  };
}

/** One attempt, whose status is measured: not a client, which would try again. */
async function ask(url: string, init: RequestInit = {}): Promise<Probe> {
  const at = clock();
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
    await response.arrayBuffer();
    return { at, ms: clock() - at, status: response.status };
  } catch {
    return { at, ms: clock() - at, status: 0 };
  }
}
