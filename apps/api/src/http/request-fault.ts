import type { IncomingMessage } from "node:http";
import type { CallerCheck } from "@synap/http";
import { Problem } from "../problems/problem.ts";

/** Returns why a request is refused before its route is looked for; undefined when it is not. */
export function requestFault(request: IncomingMessage, checkCaller: CallerCheck): Problem | undefined {
  const fault = hostFault(request) ?? targetFault(request);
  if (fault !== undefined) return invalid(fault);
  const caller = checkCaller(request);
  return caller === undefined ? undefined : new Problem(caller.code, caller.detail);
}

/** RFC 9112, section 3.2: a request with more than one Host, or in HTTP/1.1 without any, is answered 400. */
function hostFault({ rawHeaders, headers, httpVersion }: IncomingMessage): string | undefined {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  if (hosts > 1) return "The request has more than one Host header.";
  if (hosts === 0 && httpVersion !== "1.0") return "The request has no Host header.";
  if (headers.host !== undefined && /[\s/@]/.test(headers.host)) return "The Host header is not a host.";
  return undefined;
}

/**
 * Percent-encoding that decodes to nothing would be read as something else than was sent: `%zz` as the text "%zz", a byte
 * that is not UTF-8 as U+FFFD.
 */
function targetFault({ url = "", headers }: IncomingMessage): string | undefined {
  if (url.includes("#")) return "The address of a request holds no fragment (#).";
  if (url.includes("%") && !isDecodable(url)) return "The address holds percent-encoding that is not UTF-8.";
  const authority = /^https?:\/\/([^/?]*)/i.exec(url)?.[1];
  if (authority !== undefined && authority.toLowerCase() !== headers.host?.toLowerCase()) {
    return "The address of the request and its Host header name different hosts.";
  }
  return undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function invalid(detail: string): Problem {
  return new Problem("request-invalid", detail, { headers: { connection: "close" } });
}
