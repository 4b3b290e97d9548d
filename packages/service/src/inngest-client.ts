import { INNGEST_APP_ID } from "@synap/types/internal";
import { Inngest } from "inngest";
import type { Logger } from "pino";

/** Where Inngest is, when that is not left to the SDK's own environment variables. */
export interface InngestClientOptions {
  readonly baseUrl?: string | undefined;
  readonly eventKey?: string | undefined;
  readonly signingKey?: string | undefined;
  readonly isDev?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Synap's Inngest client. What is left out is read by the SDK from its own environment variables: INNGEST_BASE_URL,
 * INNGEST_EVENT_KEY, INNGEST_SIGNING_KEY and INNGEST_DEV. Of its log, warnings and errors are kept.
 */
export function createInngestClient({
  baseUrl,
  eventKey,
  signingKey,
  isDev,
  logger,
}: InngestClientOptions): Inngest {
  return new Inngest({
    id: INNGEST_APP_ID,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(eventKey !== undefined && { eventKey }),
    ...(signingKey !== undefined && { signingKey }),
    ...(isDev !== undefined && { isDev }),
    ...(logger !== undefined && { logger: logger.child({ part: "inngest" }, { level: "warn" }) }),
  });
}
