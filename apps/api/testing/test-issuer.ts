import { createServer, type ServerResponse } from "node:http";
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import type { TokenConfiguration } from "../src/identity/token-configuration.ts";

/** A key of an issuer, with its public half as the issuer publishes it. */
export interface IssuerKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly privateKey: Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
  readonly jwk: JWK;
}

/** Makes a key pair for signing. */
export async function createIssuerKey(
  algorithm: "RS256" | "ES256" | "EdDSA" | "RS512",
  kid: string,
): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
  return { algorithm, kid, privateKey, jwk };
}

/** An issuer of tokens over real HTTP, with faults that can be ordered. */
export interface TestIssuer {
  readonly url: string;
  /** The keys that it publishes. */
  keys: readonly JWK[];
  /** Its treatment of requests: it answers, fails, never answers, redirects, or answers too much. */
  behaviour: "answer" | "fail" | "hang" | "redirect" | "flood";
  /** Paths of the requests so far. */
  readonly requests: string[];
  stop(): Promise<void>;
}

export async function startTestIssuer(keys: readonly JWK[] = []): Promise<TestIssuer> {
  const server = createServer((request, response) => {
    issuer.requests.push(request.url ?? "");
    answer(request.url ?? "", response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const issuer: TestIssuer = {
    url,
    keys,
    behaviour: "answer",
    requests: [],
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };

  function answer(path: string, response: ServerResponse): void {
    const { behaviour } = issuer;
    if (behaviour === "hang") return;
    if (behaviour === "redirect") return void response.writeHead(302, { location: `${url}/elsewhere` }).end();
    if (behaviour === "fail") return void response.writeHead(500).end();
    const filler = behaviour === "flood" ? { filler: "x".repeat(300_000) } : {};
    const document = path.startsWith("/.well-known/")
      ? { issuer: url, jwks_uri: `${url}/keys`, ...filler }
      : { keys: issuer.keys, ...filler };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
  }
  return issuer;
}

/** The configuration of an API that admits the tokens of an issuer, with these roles. */
export function tokensOf(
  { url }: Pick<TestIssuer, "url">,
  roles: TokenConfiguration["roles"],
): TokenConfiguration {
  return { issuer: url, audience: "synap", rolesClaim: "roles", roles };
}

/** Signs a token, by default one that is valid for five minutes. Its claims may be of any type. */
export function signToken(key: IssuerKey, claims: object, header: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const text = JSON.stringify({ sub: "ada", exp: now + 300, ...claims });
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
    .sign(key.privateKey);
}
