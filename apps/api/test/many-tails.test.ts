import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { readAnswer } from "../testing/answer.ts";
import { ADMIN_TOKEN, startTestApi, type TestApi } from "../testing/start-test-api.ts";

const TAIL = "/api/v1/admin/events/tail?from=start";
const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };

let api: TestApi;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.stop();
});

/** A client that asks for a tail and reads no more than that it has begun. */
async function tailWithoutReading(): Promise<Socket> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.pause();
  socket.write(
    `GET ${TAIL} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: ${headers.authorization}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once("readable", resolve));
  return socket;
}

const ask = async () => readAnswer(await fetch(`${api.url}${TAIL}`, { headers }));

describe("tails", () => {
  it("beyond the limit are refused, until one of the open ones ends", async () => {
    api = await startTestApi({ maxTails: 3 });
    const open = [await tailWithoutReading(), await tailWithoutReading(), await tailWithoutReading()];
    const refused = await ask();
    expect(refused).toMatchObject({ status: 503, body: { code: "too-many-tails", limit: 3 } });
    expect(refused.headers.get("retry-after")).toBe("5");
    // Asking what a tail would be like takes no place.
    expect((await fetch(`${api.url}${TAIL}`, { method: "HEAD", headers })).status).toBe(200);
    open[0]?.destroy();
    await expect
      .poll(async () => {
        const leaving = new AbortController();
        const response = await fetch(`${api.url}${TAIL}`, { headers, signal: leaving.signal });
        leaving.abort();
        return response.status;
      })
      .toBe(200);
  });
});
