import { isUtf8, readMediaType } from "./media-type.ts";

/** The part of a request that describes its body. Node's `IncomingMessage` is one. */
export interface BodyHead {
  readonly headers: {
    readonly "content-type"?: string | undefined;
    readonly "content-encoding"?: string | undefined;
    readonly "content-length"?: string | undefined;
    readonly "transfer-encoding"?: string | undefined;
  };
}

/**
 * Checks that a request has no body, or one declared as uncompressed JSON in UTF-8. A page of another site can send a JSON
 * content type only after a CORS preflight, which Synap's servers don't allow.
 */
export function isJsonOrEmpty({ headers }: BodyHead): boolean {
  const type = headers["content-type"];
  const isEmpty = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
  if (type === undefined && isEmpty) return true;
  if (!isPlain(headers["content-encoding"])) return false;
  const mediaType = readMediaType(type ?? "");
  return mediaType?.essence === "application/json" && isUtf8(mediaType);
}

/** True if a `Content-Encoding` means an unencoded body. */
export function isPlain(encoding: string | null | undefined): boolean {
  return encoding === undefined || encoding === null || encoding.trim().toLowerCase() === "identity";
}
