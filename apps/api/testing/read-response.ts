import type { StoredEvent } from "@synap/types";

/** All that the responses of the API may hold; a test looks at the parts it asked for. */
export interface ApiResponseBody {
  readonly code: string;
  readonly detail: string;
  readonly errors: { path: string; code: string; reason: string }[];
  readonly results: { index: number; status: string; id?: string; code?: string }[];
  readonly events: StoredEvent[] & { stored: number; lastPosition: number; watermark: number };
  readonly nextCursor?: string;
  readonly previousCursor?: string;
  readonly routes: unknown[];
  readonly pages: { reservedBytes: number; maxBytes: number; waiting: number };
  readonly id: string;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ApiResponseBody;
}

/** A response, whose body is taken to be JSON. */
export async function readResponse(response: Response): Promise<ApiResponse> {
  const body: ApiResponseBody = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, body };
}
