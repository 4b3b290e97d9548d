import type { ApiContext } from "../api-dependencies.ts";
import type { PageBudget } from "../page-budget.ts";
import { jsonText } from "./route-registration.ts";

/** Body and headers of a page. */
export interface Page {
  readonly body: object;
  readonly headers?: Record<string, string>;
}

/**
 * Answers with a page within the budget. Its bytes are reserved until the client has received the response or disconnected.
 *
 * @param read reads the page, which ends with the row that reaches the given number of bytes
 * @throws Problem `too-many-pages`
 */
export async function sendPage(
  context: ApiContext,
  budget: PageBudget,
  read: (maxBytes: number) => Promise<Page>,
): Promise<Response> {
  const room = await budget.reserve();
  try {
    const { body, headers } = await read(room.maxBytes);
    const text = JSON.stringify(body);
    room.settle(Buffer.byteLength(text));
    whenSent(context, room.release);
    return jsonText(context, 200, text, headers);
  } catch (error) {
    room.release();
    throw error;
  }
}

/** Runs `action` once the response is sent or its connection has ended, or at once without a server. */
function whenSent(context: ApiContext, action: () => void): void {
  const outgoing = context.env.outgoing;
  if (outgoing === undefined || outgoing.closed) action();
  else outgoing.once("close", action);
}

/** The header of {@link linkHeader} in the definition of a route. */
export const LINK_HEADER = {
  Link: { description: 'rel="next" and rel="prev"', schema: { type: "string" } },
} as const;

/** The header Link of a page of events, with its neighbours. */
export function linkHeader(
  url: string,
  page: { nextCursor?: string | undefined; previousCursor?: string | undefined },
): Record<string, string> {
  const links = [
    ["next", page.nextCursor],
    ["prev", page.previousCursor],
  ].flatMap(([relation = "", cursor]) =>
    cursor === undefined ? [] : [`<${withCursor(url, cursor)}>; rel="${relation}"`],
  );
  return links.length === 0 ? {} : { link: links.join(", ") };
}

/** Relative, because behind a proxy the API does not know its public address. */
function withCursor(url: string, cursor: string): string {
  const target = new URL(url);
  target.searchParams.set("cursor", cursor);
  return `${target.pathname}${target.search}`;
}
