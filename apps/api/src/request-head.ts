import type { ApiContext } from "./api-dependencies.ts";
import type { RequestHead } from "./identity/authentication.ts";

/** The head of a request, also of one that came without a server. */
export function requestHead({ env, req }: ApiContext): RequestHead {
  return (
    env.incoming ?? { method: req.method, headers: Object.fromEntries(req.raw.headers), httpVersion: "1.1" }
  );
}
