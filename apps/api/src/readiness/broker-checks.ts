import { NotReadyError, type ReadinessCheck } from "@synap/service";
import type { EventDestination } from "../publisher/event-api.ts";

/** How long the broker may take to answer a check, in milliseconds. */
const BROKER_TIMEOUT_MS = 1_500;

/**
 * Something answers where events are sent. Only a server's own fault counts as unreachable: `/health` exists on a
 * self-hosted Inngest, and its being unknown elsewhere still proves that someone is there.
 */
export function brokerCheck(broker: EventDestination): ReadinessCheck {
  return {
    name: "broker",
    check: async () => {
      if (broker.mode === "cloud" && broker.eventKey === undefined)
        throw new NotReadyError("broker-key-missing");
      const status = await ask(new URL("health", broker.eventBaseUrl));
      if (status < 500) return;
      throw new NotReadyError("broker-failing", {
        cause: new Error(`${broker.eventBaseUrl} answers ${status}`),
      });
    },
  };
}

/** Envelopes start a function: a worker has registered with the broker. */
export function registrationCheck(areFunctionsRegistered: () => Promise<boolean>): ReadinessCheck {
  return {
    name: "functions",
    check: async () => {
      if (!(await areFunctionsRegistered())) throw new NotReadyError("functions-not-registered");
    },
  };
}

async function ask(url: URL): Promise<number> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(BROKER_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const { cause } = error instanceof Error ? error : new Error(String(error));
    const reason = cause instanceof Error && "code" in cause ? cause.code : error;
    const fault = new Error(`nothing answers at ${url.origin} (${reason})`, { cause: error });
    throw new NotReadyError("broker-unreachable", { cause: fault });
  }
}
