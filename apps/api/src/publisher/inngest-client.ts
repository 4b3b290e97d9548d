import { INNGEST_APP_ID } from "@synap/types";
import { Inngest } from "inngest";
import type { Logger } from "pino";

/** Where Inngest is, when that is not left to the SDK's own environment variables. */
export interface InngestClientOptions {
  readonly baseUrl?: string | undefined;
  readonly eventKey?: string | undefined;
  readonly isDev?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * An Inngest client, which tells where events go and under which key. What is left out is read by the SDK from
 * INNGEST_BASE_URL, INNGEST_EVENT_KEY and INNGEST_DEV.
 */
export function createInngestClient({ baseUrl, eventKey, isDev, logger }: InngestClientOptions): Inngest {
  return new Inngest({
    id: INNGEST_APP_ID,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(eventKey !== undefined && { eventKey }),
    ...(isDev !== undefined && { isDev }),
    ...(logger !== undefined && { logger }),
  });
}
