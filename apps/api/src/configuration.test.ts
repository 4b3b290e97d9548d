import { ConfigurationError } from "@synap/service";
import { describe, expect, it } from "vitest";
import { readApiConfiguration } from "./configuration.ts";

describe("the API's configuration", () => {
  it.each([
    "*",
    "null",
    "https://shop.example/",
    "https://*.example",
    "shop.example",
    "HTTPS://shop.example",
    "file:///x",
  ])("refuses %j as an origin", (origin) => {
    const variables = { SYNAP_CORS_ORIGINS: `https://shop.example, ${origin}` };
    expect(() => readApiConfiguration(variables)).toThrow("is not an origin");
  });

  it("has defaults for everything", () => {
    expect(readApiConfiguration({ SYNAP_API_KEYS: "" })).toEqual({
      host: "127.0.0.1",
      port: 3400,
      identity: { apiKeys: true, localAccess: true },
      maxConnections: 1_000,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      keepAliveMs: 65_000,
      sendTimeoutMs: 30_000,
      databaseConnections: 10,
      lockTimeoutMs: 5_000,
      maxTails: 50,
      maxTailsEach: 10,
      pagesMaxBytes: 32 * 1024 * 1024,
      pagesMaxWaitMs: 2_000,
      maxBodyBytes: 5 * 1024 * 1024,
      maxBodyValues: 100_000,
      maxBatchEvents: 5_000,
      maxDepth: 32,
      latenessMs: 7 * 24 * 60 * 60 * 1000,
      envelopeMaxBytes: 240 * 1024 + 513,
      lingerMs: 5,
      queueMaxEvents: 50_000,
      queueMaxWaitMs: 500,
      replicaMaxWaitMs: 100,
      replicaMaxLagMs: 5_000,
      queueMaxBytes: 64 * 1024 * 1024,
      rateLimits: {},
      corsOrigins: [],
      publishConcurrency: 4,
      publishDeadlineMs: 3_000,
    });
  });

  it("names every invalid variable, with the reason", () => {
    const read = () =>
      readApiConfiguration({ SYNAP_API_PORT: "http", SYNAP_MAX_DEPTH: "99", SYNAP_API_KEYS: "short" });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(
      /SYNAP_API_PORT: must be a number\nSYNAP_MAX_DEPTH: .*32\nSYNAP_API_KEYS: must be true or false/,
    );
  });
});
