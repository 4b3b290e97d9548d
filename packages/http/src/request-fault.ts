import type { IncomingMessage } from "node:http";

/** A violation of HTTP in a request, whatever its route. The detail is a sentence for the caller. */
export interface RequestFault {
  readonly status: 400 | 501;
  readonly code: "request-invalid" | "transfer-coding-unsupported";
  readonly detail: string;
}

/** The part of a request that is checked. Node's `IncomingMessage` is one. */
export type RequestFrame = Pick<IncomingMessage, "rawHeaders" | "headers" | "httpVersion" | "url">;

/** Headers that must not be repeated. Node uses the first of them, and a proxy in front of it may have used the last. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-type",
  "host",
  "transfer-encoding",
]);

/** The prefix of headers that are the attributes of one CloudEvent, each a text: two of a name would be joined into another text. */
const ATTRIBUTE = "ce-";

/** Finds violations of RFC 9110 and RFC 9112 that Node does not report; undefined when there is none. */
export function requestFault(request: RequestFrame): RequestFault | undefined {
  const detail = headerFault(request) ?? hostFault(request) ?? targetFault(request);
  if (detail !== undefined) return { status: 400, code: "request-invalid", detail };
  return transferFault(request);
}

function headerFault({ rawHeaders }: RequestFrame): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    if (!SINGLE_HEADERS.has(name) && !name.startsWith(ATTRIBUTE)) continue;
    if (seen.has(name)) return `The request has more than one ${rawHeaders[index]} header.`;
    seen.add(name);
  }
  return undefined;
}

/** RFC 9112, section 3.2: a request in HTTP/1.1 without Host is answered 400. */
function hostFault({ headers, httpVersion }: RequestFrame): string | undefined {
  if (headers.host === undefined) {
    return httpVersion === "1.0" ? undefined : "The request has no Host header.";
  }
  return /[\s/@]/.test(headers.host) ? "The Host header is not a host." : undefined;
}

/** A step in a path to the same or the parent folder, as browsers and proxies read it. */
const DOT_SEGMENT = /[/\\](?:\.|%2e){1,2}(?:[/\\]|$)/i;

/**
 * Checks the request target. Steps to parent folders are refused because a proxy that decides by the path may not resolve them, or read
 * them in another way. Invalid percent-encoding is refused because it would be decoded to another text: `%zz` to
 * itself, a byte that is not UTF-8 to U+FFFD.
 */
function targetFault({ url = "", headers }: RequestFrame): string | undefined {
  if (url.includes("#")) return "The request URL must not contain a fragment (#).";
  if (url.includes("%") && !isDecodable(url))
    return "The request URL contains percent-encoding that is not valid UTF-8.";
  if (DOT_SEGMENT.test(url.split("?", 1)[0] ?? ""))
    return "The path of the request URL must not contain . or .. as a step.";
  const authority = /^https?:\/\/([^/?]*)/i.exec(url)?.[1];
  if (authority !== undefined && authority.toLowerCase() !== headers.host?.toLowerCase()) {
    return "The request URL and the Host header name different hosts.";
  }
  return undefined;
}

/**
 * Checks Transfer-Encoding, by RFC 9112, sections 6.1 and 6.3: 501 for a coding that the server does not decode, 400 for a
 * body of unknown length and for HTTP/1.0, which has no codings. Node decodes only chunks, and would pass on the rest.
 */
function transferFault({ headers, httpVersion }: RequestFrame): RequestFault | undefined {
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  const refusal =
    httpVersion === "1.0"
      ? "Transfer-Encoding is not allowed in an HTTP/1.0 request."
      : /(?:^|[,\s])chunked\s*$/i.test(coding)
        ? undefined
        : "Transfer-Encoding must end in chunked; otherwise the length of the body is unknown.";
  if (refusal !== undefined) return { status: 400, code: "request-invalid", detail: refusal };
  if (coding.trim().toLowerCase() === "chunked") return undefined;
  const detail = `Transfer-Encoding ${JSON.stringify(coding.slice(0, 100))} is not supported: send the body plain or chunked.`;
  return { status: 501, code: "transfer-coding-unsupported", detail };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
