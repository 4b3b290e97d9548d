import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { listenHttp } from "./http-server.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };

describe("the HTTP server", () => {
  it("finishes requests in flight when it closes, then takes no more", async () => {
    let begun = () => {};
    const isInFlight = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const server = await listenHttp(async () => {
      begun();
      await sleep(200);
      return new Response("done");
    }, LOCAL);
    const inFlight = fetch(`${server.url}/`);
    await isInFlight;
    const closed = server.close();
    await expect(inFlight.then((response) => response.text())).resolves.toBe("done");
    await closed;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it("does not wait for connections that are kept alive without a request", async () => {
    const server = await listenHttp(() => new Response("ok"), LOCAL);
    const agent = new Agent({ keepAlive: true });
    await new Promise((resolve) => {
      request(server.url, { agent }, (response) => response.resume().on("end", resolve)).end();
    });
    const started = Date.now();
    await server.close();
    expect(Date.now() - started).toBeLessThan(1_000);
    agent.destroy();
  });

  it("says when its address is taken", async () => {
    const server = await listenHttp(() => new Response("ok"), LOCAL);
    const port = Number(new URL(server.url).port);
    await expect(listenHttp(() => new Response("ok"), { ...LOCAL, port })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    await server.close();
  });
});
