import { expect, it } from "vitest";
import { readApiConfiguration } from "../configuration.ts";

const WHOLE = {
  SYNAP_JWT_ISSUER: "https://id.example",
  SYNAP_JWT_AUDIENCE: "synap",
  SYNAP_JWT_ROLES: '{"operator":{"kind":"staff"}}',
  SYNAP_OIDC_CLIENT_ID: "synap-api",
  SYNAP_OIDC_CLIENT_SECRET: "secret",
  SYNAP_PUBLIC_URL: "https://events.example/",
  SYNAP_SESSION_SECRET: "a secret of at least 32 characters",
};

it("a provider is the issuer of the tokens, with the meaning of its roles", () => {
  const { provider, publicUrl } = readApiConfiguration(WHOLE);
  expect(publicUrl).toBe("https://events.example");
  expect(provider).toEqual({
    issuer: "https://id.example",
    clientId: "synap-api",
    clientSecret: "secret",
    redirectUri: "https://events.example/sign-in/callback",
    scope: "openid",
    rolesClaim: "roles",
    roles: { operator: { kind: "staff" } },
  });
});

it("there is none without a client, and the public address is a setting of its own", () => {
  const { SYNAP_OIDC_CLIENT_ID: _, SYNAP_OIDC_CLIENT_SECRET: __, ...others } = WHOLE;
  expect(readApiConfiguration(others).provider).toBeUndefined();
  expect(readApiConfiguration({ SYNAP_PUBLIC_URL: "http://127.0.0.1:3400" }).publicUrl).toBe(
    "http://127.0.0.1:3400",
  );
});

it.each([
  [{ SYNAP_PUBLIC_URL: "" }, "needs SYNAP_PUBLIC_URL too"],
  [{ SYNAP_SESSION_SECRET: "" }, "needs SYNAP_SESSION_SECRET too"],
  [{ SYNAP_OIDC_CLIENT_ID: "" }, "needs SYNAP_OIDC_CLIENT_ID too"],
  [
    { SYNAP_JWT_ISSUER: "", SYNAP_JWT_AUDIENCE: "", SYNAP_JWT_ROLES: "" },
    "needs SYNAP_JWT_ISSUER too: the issuer with SYNAP_JWT_AUDIENCE",
  ],
  [{ SYNAP_JWT_SECRET: "a secret of at least 32 characters" }, "SYNAP_JWT_SECRET must not be set"],
  [{ SYNAP_OIDC_SCOPES: "profile email" }, "must contain openid"],
  [{ SYNAP_PUBLIC_URL: "http://events.example" }, "must be an https URL"],
  [{ SYNAP_PUBLIC_URL: "https://events.example/synap" }, "must have no path"],
])("half a configuration is refused, and says what to set: %j", (changed, reason) => {
  expect(() => readApiConfiguration({ ...WHOLE, ...changed })).toThrow(reason);
});
