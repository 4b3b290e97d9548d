import { ConfigurationError } from "@synap/service";
import { describe, expect, it } from "vitest";
import { readApiConfiguration } from "../configuration.ts";

const identityOf = (variables: NodeJS.ProcessEnv) => readApiConfiguration(variables).identity;

describe("the configuration of identity", () => {
  it("accepts keys and requests of this machine on a loopback address", () => {
    for (const host of ["127.0.0.1", "localhost", "::1"])
      expect(identityOf({ SYNAP_API_HOST: host })).toEqual({ apiKeys: true, localAccess: true });
  });

  it("can leave out either", () => {
    expect(identityOf({ SYNAP_LOCAL_ACCESS: "false" })).toEqual({ apiKeys: true, localAccess: false });
    expect(identityOf({ SYNAP_API_KEYS: "false" })).toEqual({ apiKeys: false, localAccess: true });
  });

  it.each([
    [{ NODE_ENV: "production" }, "NODE_ENV is production"],
    [{ SYNAP_API_HOST: "0.0.0.0" }, "SYNAP_API_HOST is 0.0.0.0"],
    [{ SYNAP_API_HOST: "::" }, "SYNAP_API_HOST is ::"],
    [{ SYNAP_API_HOST: "10.0.0.7", SYNAP_API_KEYS: "false" }, "SYNAP_API_HOST is 10.0.0.7"],
  ])("is refused when %j could identify nobody, with what to set", (variables, reason) => {
    const read = () => identityOf(variables);
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(reason);
    expect(read).toThrow("Set SYNAP_API_KEYS=true");
    expect(read).toThrow("or set SYNAP_JWT_ISSUER and SYNAP_JWT_AUDIENCE");
  });

  it("accepts the tokens of an issuer, in production without API keys too", () => {
    const jwt = { SYNAP_JWT_ISSUER: "https://id.example", SYNAP_JWT_AUDIENCE: "synap" };
    expect(identityOf({ ...jwt, NODE_ENV: "production" })).toEqual({
      apiKeys: false,
      localAccess: false,
      tokens: { issuer: "https://id.example", audience: "synap", rolesClaim: "roles", roles: {} },
    });
    const roles = { ops: { kind: "staff", scopes: ["admin"] } };
    expect(identityOf({ ...jwt, SYNAP_JWT_ROLES: JSON.stringify(roles) }).tokens).toMatchObject({ roles });
  });

  it.each([
    [{ SYNAP_JWT_ISSUER: "https://id.example" }, "both SYNAP_JWT_ISSUER and SYNAP_JWT_AUDIENCE"],
    [{ SYNAP_JWT_AUDIENCE: "synap" }, "both SYNAP_JWT_ISSUER and SYNAP_JWT_AUDIENCE"],
    [{ SYNAP_JWT_ISSUER: "http://id.example", SYNAP_JWT_AUDIENCE: "synap" }, "must be an https URL"],
    [{ SYNAP_JWT_ISSUER: "id.example", SYNAP_JWT_AUDIENCE: "synap" }, "must be an https URL"],
    [{ SYNAP_JWT_JWKS_URL: "http://id.example/keys" }, "SYNAP_JWT_JWKS_URL: must be an https URL"],
    [{ SYNAP_JWT_SECRET: "short" }, "SYNAP_JWT_SECRET: must have at least 32 characters"],
    [{ SYNAP_JWT_ROLES: "{" }, "SYNAP_JWT_ROLES: must be JSON"],
    [{ SYNAP_JWT_ROLES: '{"ops":{"kind":"root"}}' }, "must be one of staff, user, agent, machine"],
    [{ SYNAP_JWT_ROLES: '{"ops":{"kind":"staff","scopes":["all"]}}' }, "must be the name of a scope"],
    [
      {
        SYNAP_JWT_ISSUER: "x",
        SYNAP_JWT_AUDIENCE: "synap",
        SYNAP_JWT_SECRET: "a".repeat(32),
        SYNAP_JWT_JWKS_URL: "https://id.example/keys",
      },
      "either SYNAP_JWT_SECRET or SYNAP_JWT_JWKS_URL",
    ],
  ])("refuses JWTs that would be judged loosely: %j", (variables, reason) => {
    expect(() => identityOf(variables)).toThrow(reason);
  });

  it("never trusts this machine in production or on another address", () => {
    for (const variables of [{ NODE_ENV: "production" }, { SYNAP_API_HOST: "0.0.0.0" }]) {
      expect(identityOf({ ...variables, SYNAP_API_KEYS: "true", SYNAP_LOCAL_ACCESS: "true" })).toEqual({
        apiKeys: true,
        localAccess: false,
      });
    }
  });
});
