import { createHmac } from "node:crypto";

/** What signs a request, where Inngest has a signing key. */
export interface SigningClient {
  readonly mode: "cloud" | "dev";
  readonly signingKey: string | undefined;
}

/**
 * Has the worker register its functions with Inngest, by the request with which Inngest's server asks for it.
 *
 * @param address where the worker serves its functions
 * @throws Error when Inngest can't be reached or refuses
 */
export async function registerFunctions(address: string, client: SigningClient): Promise<void> {
  const response = await fetch(address, { method: "PUT", headers: signatureOf("", client, Date.now()) });
  if (!response.ok) throw new Error(`Inngest did not take the functions: ${await response.text()}`);
}

function signatureOf(body: string, { mode, signingKey }: SigningClient, now: number): Record<string, string> {
  if (mode === "dev" || signingKey === undefined) return {};
  const seconds = Math.floor(now / 1_000).toString();
  const secret = signingKey.replace(/^signkey-\w+-/, "");
  const signature = createHmac("sha256", secret).update(body).update(seconds).digest("hex");
  return { "x-inngest-signature": `t=${seconds}&s=${signature}` };
}
