import { TOKEN } from "./start-test-api.ts";

/** The response of an admin route. */
export interface AdminResponse {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the responses of all admin routes; each test looks at what it asked for
  readonly body: any;
}

/** Calls an admin route with a key that has every scope, or the headers given. */
export async function callAdmin(
  url: string,
  path: string,
  {
    body,
    headers,
    ...init
  }: Omit<RequestInit, "body" | "headers"> & {
    body?: unknown;
    headers?: Record<string, string>;
  } = {},
): Promise<AdminResponse> {
  const response = await fetch(`${url}/api/v1/admin${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(init.method === "POST" && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}
