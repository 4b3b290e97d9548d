import { createServer, type RequestListener } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const CLIENT = { clientId: "synap-api", clientSecret: "the secret of the client" };

/**
 * Starts the certified provider of npm, whose pages take any name. Everybody there has the role `operator`.
 *
 * @param redirectUri the address of the API to which it sends browsers back
 * @param host the loopback name in its address
 */
export async function startRealProvider(redirectUri: string, host = "127.0.0.1") {
  let listener: RequestListener = () => undefined;
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://${host}:${typeof address === "object" && address !== null ? address.port : 0}`;
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const provider = new Provider(url, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "k", use: "sig", alg: "ES256" }] },
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: [redirectUri],
        id_token_signed_response_alg: "ES256",
      },
    ],
    cookies: { keys: ["the secret of its cookies"] },
    claims: { openid: ["sub", "roles"] },
    conformIdTokenClaims: false,
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, roles: ["operator"] }),
    }),
  });
  listener = provider.callback();
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, stop, ...CLIENT };
}
