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
