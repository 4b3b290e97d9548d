import { Problem } from "../problems/problem.ts";

/**
 * The kind of body a request has: one of `allowed`, as lower-case media types.
 *
 * @throws Problem `unsupported-media-type` when there is none, it is another one, or its charset is not UTF-8.
 */
export function readContentType<Allowed extends string>(
  request: Request,
  allowed: readonly Allowed[],
): Allowed {
  const header = request.headers.get("content-type");
  // Nearly every request says just this.
  const [exact] = allowed;
  if (exact !== undefined && header === exact) return exact;
  const [essence = "", ...parameters] = (header ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const found = allowed.find((type) => type === essence);
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.replace(/^charset="?([^"]*)"?$/, "$1");
  if (found !== undefined && (charset === undefined || charset === "utf-8" || charset === "utf8"))
    return found;
  const given = header === null ? "no Content-Type was given" : `"${header.slice(0, 100)}" was given`;
  const wanted = allowed.map((type) => `"${type}"`).join(" or ");
  throw new Problem("unsupported-media-type", `Content-Type must be ${wanted} in UTF-8; ${given}.`, {
    headers: { "accept-post": allowed.join(", ") },
  });
}
