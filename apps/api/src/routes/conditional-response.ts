import { createHash } from "node:crypto";
import type { ApiContext } from "../api-dependencies.ts";
import { responseHeaders } from "../response-headers.ts";

/** Creates the entity tag of a content, without its quotes. */
export function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("base64url").slice(0, 22);
}

/** The response 304 to a request whose If-None-Match has this tag; undefined if the body is needed. */
export function notModified(context: ApiContext, etag: string): Response | undefined {
  const given = context.req.header("if-none-match")?.trim();
  if (given === undefined) return undefined;
  // Weak comparison, as RFC 9110 has it for this header.
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  if (given !== "*" && !given.split(",").map(opaque).includes(opaque(etag))) return undefined;
  return new Response(null, {
    status: 304,
    headers: responseHeaders(context.get("requestId"), { etag }),
  });
}
