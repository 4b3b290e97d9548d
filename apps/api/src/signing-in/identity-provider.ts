import type { PrincipalKind, Scope } from "@synap/types/http";
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  None,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import type { Logger } from "pino";
import { z } from "zod";
import { isTamperProof } from "../identity/issuer-keys.ts";
import { identityUnavailable } from "../identity/refusals.ts";
import { holderOfClaims } from "../identity/token-principals.ts";
import { Problem } from "../problems/problem.ts";
import type { ProviderConfiguration } from "./provider-configuration.ts";
import { createSealedText } from "./sealed-text.ts";

/** Whoever has signed in at the provider. */
export interface ProviderHolder {
  readonly kind: PrincipalKind;
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** An identity provider, at which people sign in (OpenID Connect, authorization code with PKCE). */
export interface IdentityProvider {
  readonly issuer: string;
  /** The address of this API at which signing in begins. */
  readonly signInUrl: string;
  /**
   * Begins signing in.
   *
   * @returns the address of the provider, and the transaction: sealed text that the browser keeps, and brings back
   * @throws Problem `identity-unavailable`
   */
  begin(returnTo: string): Promise<{ readonly url: string; readonly transaction: string }>;
  /**
   * Ends signing in, by the query with which the provider has sent the browser back, and its transaction.
   *
   * @throws Problem `sign-in-interrupted`, `sign-in-refused`, `identity-unavailable`
   */
  finish(
    query: string,
    transaction: string | undefined,
  ): Promise<{ readonly holder: ProviderHolder; readonly returnTo: string }>;
}

/** Options of {@link createIdentityProvider}. */
export interface IdentityProviderOptions {
  readonly configuration: ProviderConfiguration;
  /** The secret by which transactions are sealed. */
  readonly secret: string;
  readonly logger: Logger;
  /** Time limit of each request to the provider, in seconds. */
  readonly timeoutSeconds?: number;
}

/** Seconds within which a person has to sign in at the provider. */
export const TRANSACTION_SECONDS = 600;

const TIMEOUT_SECONDS = 5;
/** Age at which the provider's configuration is read again; the last one is used while it does not answer. */
const REFRESH_MS = 600_000;
/** Largest number of codes that are exchanged at a time: each is a request to the provider, and anybody can bring one. */
const MAX_EXCHANGES = 20;

const transactionForm = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  endsAt: z.number(),
});

/** Creates the access to a provider. It is not called before somebody signs in, so the API starts without it. */
export function createIdentityProvider(options: IdentityProviderOptions): IdentityProvider {
  const { configuration, secret, logger } = options;
  const { redirectUri, scope } = configuration;
  const sealed = createSealedText(secret, "transaction of signing in");
  const discover = createDiscovery(options);
  let exchanges = 0;

  async function exchange(client: Configuration, query: string, { state, nonce, verifier }: Transaction) {
    if (exchanges >= MAX_EXCHANGES) throw identityUnavailable("Too many people are signing in. Try again.");
    exchanges += 1;
    try {
      const tokens = await authorizationCodeGrant(client, new URL(`${redirectUri}?${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      return tokens.claims() ?? {};
    } catch (error) {
      throw refusal(error, logger);
    } finally {
      exchanges -= 1;
    }
  }

  return {
    issuer: configuration.issuer,
    signInUrl: redirectUri.replace(/callback$/, "provider"),
    async begin(returnTo) {
      const client = await discover();
      const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
      const url = buildAuthorizationUrl(client, {
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      const endsAt = Date.now() + TRANSACTION_SECONDS * 1_000;
      const transaction = sealed.seal(JSON.stringify({ state, nonce, verifier, returnTo, endsAt }));
      return { url: url.href, transaction };
    },
    async finish(query, cookie) {
      const transaction = readTransaction(sealed.open(cookie ?? ""));
      if (transaction === undefined || transaction.endsAt <= Date.now()) throw interrupted();
      // Another window of the browser may have begun later. The answer to what this browser did not begin is none of its own.
      if (new URLSearchParams(query).get("state") !== transaction.state) throw interrupted();
      const claims = await exchange(await discover(), query, transaction);
      try {
        return { holder: holderOfClaims(claims, configuration), returnTo: transaction.returnTo };
      } catch (cause) {
        const why = cause instanceof Problem ? cause.message : "";
        throw new Problem("sign-in-refused", `The identity provider names nobody known here. ${why}`, {
          cause,
        });
      }
    },
  };
}

type Transaction = z.output<typeof transactionForm>;

function readTransaction(text: string | undefined): Transaction | undefined {
  // What was sealed here is JSON.
  return text === undefined ? undefined : transactionForm.safeParse(JSON.parse(text)).data;
}

/** Creates the reading of the provider's own configuration, once for all who wait for it. */
function createDiscovery(options: IdentityProviderOptions): () => Promise<Configuration> {
  const { configuration, logger, timeoutSeconds: timeout = TIMEOUT_SECONDS } = options;
  const { issuer, clientId, clientSecret } = configuration;
  let known: Configuration | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<Configuration> | undefined;

  async function read(): Promise<Configuration> {
    const authentication = clientSecret === undefined ? None() : clientAuthentication(clientSecret);
    // Of http addresses, only those of this machine pass the checks of the configuration and below.
    const execute = [
      enableNonRepudiationChecks,
      ...(issuer.startsWith("http:") ? [allowInsecureRequests] : []),
    ];
    const found = await discovery(new URL(issuer), clientId, {}, authentication, { execute, timeout });
    const { issuer: named, authorization_endpoint, token_endpoint, jwks_uri } = found.serverMetadata();
    if (named !== issuer) throw new Error(`${issuer} names another issuer: ${named}`);
    for (const address of [authorization_endpoint, token_endpoint, jwks_uri])
      if (address === undefined || !URL.canParse(address) || !isTamperProof(address))
        throw new Error(`${issuer} names an address that can't be used: ${address}`);
    known = found;
    readAt = performance.now();
    return found;
  }

  return async () => {
    if (known !== undefined && performance.now() - readAt < REFRESH_MS) return known;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    try {
      return await reading;
    } catch (err) {
      logger.warn({ err, issuer }, "the configuration of the identity provider could not be read");
      if (known !== undefined) return known;
      throw identityUnavailable("The identity provider does not answer, or not as one does. Try again.", err);
    }
  };
}

/** Sends the secret in the header, as is the default of OpenID Connect, or in the body if the provider says that it takes it only there. */
function clientAuthentication(secret: string): ClientAuth {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, ...request) => {
    const { token_endpoint_auth_methods_supported: methods = ["client_secret_basic"] } = server;
    return (methods.includes("client_secret_basic") ? basic : post)(server, ...request);
  };
}

function interrupted(): Problem {
  return new Problem(
    "sign-in-interrupted",
    "This browser has not begun to sign in here, did so more than 10 minutes ago, or has begun again since. Sign in again.",
  );
}

/** The problem of an answer of the provider that signs nobody in. What the provider says is shown as text. */
function refusal(cause: unknown, logger: Logger): Problem {
  if (cause instanceof AuthorizationResponseError) {
    const { error, error_description: why } = cause;
    const reason = why === undefined ? error : `${error}: ${why}`;
    return new Problem("sign-in-refused", `The identity provider answers ${reason.slice(0, 300)}`, { cause });
  }
  if (cause instanceof Problem) return cause;
  if (isAway(cause)) {
    logger.warn({ err: cause }, "the identity provider does not answer");
    return identityUnavailable("The identity provider does not answer. Sign in again.", cause);
  }
  logger.warn({ err: cause }, "the identity provider's answer is not accepted");
  const detail =
    cause instanceof ResponseBodyError && cause.error === "invalid_grant"
      ? "The code of the identity provider was used before, or has expired. Sign in again."
      : "The answer of the identity provider is not one that this API accepts; the log has the reason.";
  return new Problem("sign-in-refused", detail, { cause });
}

/** An answer of the provider as it is the cause of an error. No `instanceof Response`: Hono's server has another class of that name. */
const answered = z.object({ status: z.number() });

/** True for no answer at all, none within the time limit, and one with a 5xx. */
function isAway(error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.status >= 500;
  if (!(error instanceof ClientError)) return error instanceof TypeError;
  return error.code === "OAUTH_TIMEOUT" || (answered.safeParse(error.cause).data?.status ?? 0) >= 500;
}
