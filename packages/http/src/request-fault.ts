import type { IncomingMessage } from "node:http";

/** Why a request is not sound HTTP, for any route. The detail is a sentence for the caller. */
export interface RequestFault {
  readonly status: 400 | 501;
  readonly code: "request-invalid" | "transfer-coding-unsupported";
  readonly detail: string;
}

/** The part of a request that is checked. Node's `IncomingMessage` is one. */
export type RequestFrame = Pick<IncomingMessage, "rawHeaders" | "headers" | "httpVersion" | "url">;

/** Headers that Node keeps the first of, whatever follows: a proxy in front may have gone by the last. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-type",
  "host",
  "transfer-encoding",
]);

/** Finds what RFC 9110 and RFC 9112 forbid and Node lets through; undefined when the request is sound. */
export function requestFault(request: RequestFrame): RequestFault | undefined {
  const detail = headerFault(request) ?? hostFault(request) ?? targetFault(request);
  if (detail !== undefined) return { status: 400, code: "request-invalid", detail };
  return transferFault(request);
}

function headerFault({ rawHeaders }: RequestFrame): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    if (!SINGLE_HEADERS.has(name)) continue;
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

/**
 * Percent-encoding that decodes to nothing would be read as something else than was sent: `%zz` as the text "%zz", a byte
 * that is not UTF-8 as U+FFFD.
 */
function targetFault({ url = "", headers }: RequestFrame): string | undefined {
  if (url.includes("#")) return "The address of a request holds no fragment (#).";
  if (url.includes("%") && !isDecodable(url)) return "The address holds percent-encoding that is not UTF-8.";
  const authority = /^https?:\/\/([^/?]*)/i.exec(url)?.[1];
  if (authority !== undefined && authority.toLowerCase() !== headers.host?.toLowerCase()) {
    return "The address of the request and its Host header name different hosts.";
  }
  return undefined;
}

/**
 * RFC 9112, sections 6.1 and 6.3: a transfer coding that the server does not decode is answered 501, a body whose end
 * is not known 400, and HTTP/1.0 has no codings. Node takes the chunks apart and would pass on the rest as it is.
 */
function transferFault({ headers, httpVersion }: RequestFrame): RequestFault | undefined {
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  const refusal =
    httpVersion === "1.0"
      ? "A request in HTTP/1.0 has no Transfer-Encoding."
      : /(?:^|[,\s])chunked\s*$/i.test(coding)
        ? undefined
        : "Transfer-Encoding must end in chunked: where the body ends is not known otherwise.";
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
