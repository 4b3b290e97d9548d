import { createHash } from "node:crypto";
import type { ApiContext } from "../api-dependencies.ts";
import { responseHeaders } from "../response-headers.ts";
import { jsonText } from "./route-registration.ts";

/** Creates the entity tag of a content, without its quotes. */
export function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("base64url").slice(0, 22);
}

/** The header ETag in the definition of a route. */
export const ETAG = { description: "For If-None-Match.", schema: { type: "string" } } as const;

/** Answers with JSON text and its entity tag, or with 304 to a request that has this tag. */
export function conditionalJson(
  context: ApiContext,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return taggedJson(context, tagged(text), headers);
}

/** Answers as `conditionalJson` with a document that does not change: it is built and hashed at the first request. */
export function conditionalDocument(build: () => unknown): (context: ApiContext) => Response {
  let built: TaggedText | undefined;
  return (context) => {
    built ??= tagged(JSON.stringify(build()));
    return taggedJson(context, built);
  };
}

interface TaggedText {
  readonly text: string;
  readonly etag: string;
}

const tagged = (text: string): TaggedText => ({ text, etag: `"${hashOf(text)}"` });

function taggedJson(
  context: ApiContext,
  { text, etag }: TaggedText,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { "content-type": _, ...others } = headers;
  return notModified(context, etag, others) ?? jsonText(context, 200, text, { ...headers, etag });
}

/** The response 304 to a request whose If-None-Match has this tag; undefined if the body is needed. */
export function notModified(
  context: ApiContext,
  etag: string,
  headers: Readonly<Record<string, string>> = {},
): Response | undefined {
  const given = context.req.header("if-none-match")?.trim();
  if (given === undefined) return undefined;
  // Weak comparison, as RFC 9110 has it for this header.
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  if (given !== "*" && !given.split(",").map(opaque).includes(opaque(etag))) return undefined;
  return new Response(null, {
    status: 304,
    headers: responseHeaders(context.get("requestId"), { ...headers, etag }),
  });
}
