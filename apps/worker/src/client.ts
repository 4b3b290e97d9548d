import { INNGEST_APP_ID } from "@synap/types";
import { Inngest } from "inngest";
import type { Logger } from "pino";

/**
 * Synap's Inngest client. Where Inngest is and how to sign in there is left to the SDK's own environment
 * variables (INNGEST_BASE_URL, INNGEST_EVENT_KEY, INNGEST_SIGNING_KEY, INNGEST_DEV).
 */
export function createInngestClient(logger: Logger): Inngest {
  return new Inngest({ id: INNGEST_APP_ID, logger: logger.child({ part: "inngest" }, { level: "warn" }) });
}
