import { Inngest } from "inngest";
import type { Logger } from "pino";

/** The id under which Synap's functions appear in Inngest. */
export const INNGEST_CLIENT_ID = "synap";

/**
 * Synap's Inngest client. Where Inngest is and how to sign in there is left to the SDK's own environment
 * variables (INNGEST_BASE_URL, INNGEST_EVENT_KEY, INNGEST_SIGNING_KEY, INNGEST_DEV).
 */
export function createInngestClient(logger: Logger): Inngest {
  return new Inngest({ id: INNGEST_CLIENT_ID, logger: logger.child({ part: "inngest" }, { level: "warn" }) });
}
