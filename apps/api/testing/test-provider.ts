import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { ProviderConfiguration } from "../src/signing-in/provider-configuration.ts";
import { createIssuerKey, signToken } from "./test-issuer.ts";

/** An OpenID Connect provider over real HTTP, whose answers and faults can be ordered. People sign in there at once. */
export interface TestProvider {
  readonly url: string;
  /** Its treatment of requests: it answers, fails, or never answers. */
  behaviour: "answer" | "fail" | "hang";
  /** Claims of its ID tokens that replace those that are right. */
  claims: Readonly<Record<string, unknown>>;
  /** Signs an ID token; by default with its key. */
  sign: (claims: object) => string | Promise<string>;
  /** Paths of the requests so far. */
  readonly requests: string[];
  /** Signs somebody in who has come with this address, and returns the address to which the browser is sent back. */
  signIn(authorizationUrl: string): URL;
  configuration(redirectUri: string): ProviderConfiguration;
  stop(): Promise<void>;
}

/** The API as a client of the provider. */
export const CLIENT = { id: "synap-api", secret: "a secret: of the client" };

/** Starts a provider. It signs with ES256. */
export async function startTestProvider(): Promise<TestProvider> {
  const key = await createIssuerKey("ES256", "k");
  const codes = new Map<string, URLSearchParams>();
  const server = createServer((request, response) => {
    provider.requests.push(request.url ?? "");
    if (provider.behaviour === "hang") return;
    if (provider.behaviour === "fail") return void response.writeHead(500).end();
    void answer(request).then(([status, body]) => send(response, status, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;

  async function answer(request: IncomingMessage): Promise<readonly [number, object]> {
    switch (request.url) {
      case "/.well-known/openid-configuration":
        return [
          200,
          {
            issuer: url,
            authorization_endpoint: `${url}/authorize`,
            token_endpoint: `${url}/token`,
            jwks_uri: `${url}/keys`,
            response_types_supported: ["code"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["ES256"],
            authorization_response_iss_parameter_supported: true,
          },
        ];
      case "/keys":
        return [200, { keys: [key.jwk] }];
      case "/token":
        return exchange(request.headers.authorization, new URLSearchParams(await text(request)));
      default:
        return [404, {}];
    }
  }

  async function exchange(
    authorization: string | undefined,
    form: URLSearchParams,
  ): Promise<readonly [number, object]> {
    const [, basic = ""] = /^Basic (.+)$/.exec(authorization ?? "") ?? [];
    const named = Buffer.from(basic, "base64").toString();
    const [id, secret] = named.split(":").map((each) => decodeURIComponent(each.replaceAll("+", " ")));
    if (id !== CLIENT.id || secret !== CLIENT.secret) return [401, { error: "invalid_client" }];
    const code = form.get("code") ?? "";
    const asked = codes.get(code);
    codes.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isRight =
      asked?.get("code_challenge") === challenge && asked.get("redirect_uri") === form.get("redirect_uri");
    if (!isRight) return [400, { error: "invalid_grant" }];
    const now = Math.floor(Date.now() / 1_000);
    const right = { iss: url, aud: CLIENT.id, iat: now, exp: now + 60, nonce: asked.get("nonce") };
    const claims = { ...right, ...provider.claims };
    const idToken = await provider.sign(claims);
    return [200, { access_token: "opaque", token_type: "Bearer", id_token: idToken }];
  }

  const provider: TestProvider = {
    url,
    behaviour: "answer",
    claims: {},
    sign: (claims) => signToken(key, claims),
    requests: [],
    signIn(authorizationUrl) {
      const { searchParams } = new URL(authorizationUrl);
      const code = randomUUID();
      codes.set(code, searchParams);
      const back = new URL(searchParams.get("redirect_uri") ?? "");
      back.search = new URLSearchParams({
        code,
        state: searchParams.get("state") ?? "",
        iss: url,
      }).toString();
      return back;
    },
    configuration: (redirectUri) => ({
      issuer: url,
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      redirectUri,
      scope: "openid",
      rolesClaim: "roles",
      roles: { operator: { kind: "staff", scopes: ["read", "admin"] } },
    }),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return provider;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
