import { INNGEST_APP_ID } from "@synap/types/internal";
import { Inngest } from "inngest";
import type { Logger } from "pino";

/** Settings of the Inngest client. The SDK's environment variables provide those that are left out. */
export interface InngestClientOptions {
  readonly baseUrl?: string | undefined;
  readonly eventKey?: string | undefined;
  readonly signingKey?: string | undefined;
  readonly isDev?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Creates Synap's Inngest client. The SDK reads options that are left out from its environment variables: INNGEST_BASE_URL,
 * INNGEST_EVENT_KEY, INNGEST_SIGNING_KEY and INNGEST_DEV. Only its warnings and errors are logged.
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
