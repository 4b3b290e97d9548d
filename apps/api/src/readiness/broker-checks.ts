import { NotReadyError, type ReadinessCheck } from "@synap/service";
import type { EventDestination } from "../publisher/event-api.ts";

/** Time limit of a check, in milliseconds. */
const BROKER_TIMEOUT_MS = 1_500;

/**
 * Checks that a server answers at the address to which events are sent. Only a 5xx counts as a failure: self-hosted Inngest
 * has `/health`, and a 404 from another server still shows that it runs.
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

/** Checks that a worker has registered with the broker, so that envelopes start a function. */
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
