import { ConfigurationError } from "@synap/service";
import { describe, expect, it } from "vitest";
import { readWorkerConfiguration } from "./configuration.ts";

describe("readWorkerConfiguration", () => {
  it("has a default for everything", () => {
    expect(readWorkerConfiguration({})).toEqual({
      host: "127.0.0.1",
      port: 3401,
      databaseConnections: 10,
      lockTimeoutMs: 5_000,
      ingestConcurrency: 4,
      residentHandlers: true,
    });
  });

  it("reads every variable", () => {
    expect(
      readWorkerConfiguration({
        SYNAP_WORKER_HOST: "0.0.0.0",
        SYNAP_WORKER_PORT: "4000",
        SYNAP_WORKER_ALLOWED_HOSTS: "worker.internal, 10.0.0.1",
        INNGEST_SERVE_ORIGIN: "http://worker:4000",
        SYNAP_DATABASE_CONNECTIONS: "20",
        SYNAP_LOCK_TIMEOUT_MS: "0",
        SYNAP_INGEST_CONCURRENCY: "8",
        SYNAP_RESIDENT_HANDLERS: "false",
      }),
    ).toEqual({
      host: "0.0.0.0",
      port: 4000,
      serveOrigin: "http://worker:4000",
      allowedHosts: ["worker.internal", "10.0.0.1"],
      databaseConnections: 20,
      lockTimeoutMs: 0,
      ingestConcurrency: 8,
      residentHandlers: false,
    });
  });

  it("requires INNGEST_SERVE_ORIGIN when it listens on every address", () => {
    for (const host of ["0.0.0.0", "::"]) {
      expect(() => readWorkerConfiguration({ SYNAP_WORKER_HOST: host })).toThrow(/INNGEST_SERVE_ORIGIN/);
    }
    const origin = { INNGEST_SERVE_ORIGIN: "http://worker:3401" };
    expect(readWorkerConfiguration({ SYNAP_WORKER_HOST: "0.0.0.0", ...origin }).serveOrigin).toBe(
      "http://worker:3401",
    );
  });

  it("treats an empty variable as unset, as compose files write it", () => {
    expect(readWorkerConfiguration({ SYNAP_WORKER_PORT: "", INNGEST_SERVE_ORIGIN: "" }).port).toBe(3401);
  });

  it("names every invalid variable at once", () => {
    const read = () =>
      readWorkerConfiguration({
        SYNAP_WORKER_PORT: "http",
        SYNAP_INGEST_CONCURRENCY: "0",
        SYNAP_RESIDENT_HANDLERS: "yes",
        INNGEST_SERVE_ORIGIN: "worker",
      });
    expect(read).toThrow(ConfigurationError);
    for (const name of [
      "SYNAP_WORKER_PORT",
      "SYNAP_INGEST_CONCURRENCY",
      "SYNAP_RESIDENT_HANDLERS",
      "INNGEST_SERVE_ORIGIN",
    ]) {
      expect(read).toThrow(name);
    }
  });
});
