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
 * Whether a request has no body, or one that is declared as plain JSON in UTF-8. A page of another site can't send a JSON
 * content type without asking the server first, which our servers don't answer.
 */
export function isJsonOrEmpty({ headers }: BodyHead): boolean {
  const type = headers["content-type"];
  const isEmpty = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
  if (type === undefined && isEmpty) return true;
  if (!isPlain(headers["content-encoding"])) return false;
  const mediaType = readMediaType(type ?? "");
  return mediaType?.essence === "application/json" && isUtf8(mediaType);
}

/** Whether a `Content-Encoding` leaves the body as it is. */
export function isPlain(encoding: string | null | undefined): boolean {
  return encoding === undefined || encoding === null || encoding.trim().toLowerCase() === "identity";
}
