import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { DatabaseUnavailableError } from "../index.ts";
import { createServerListener, type ServerListener } from "./server-listener.ts";

const CHANNEL = "synap_appends";

describe.runIf(testEngines().includes("server"))("a listener on a server", () => {
  let test: TestDatabase;
  let target = new URL("postgres://none");
  let network: Network;
  let listener: ServerListener;

  beforeAll(async () => {
    test = await createTestDatabase("server");
    if ("url" in test.options) target = new URL(test.options.url);
  });
  afterAll(() => test.drop());
  beforeEach(async () => {
    network = await openNetwork(target);
    listener = createServerListener(
      { url: network.url, applicationName: "synap test", connectTimeout: 300 },
      300,
    );
  });
  afterEach(async () => {
    await listener.close();
    await network.close();
  });

  const notify = () => test.database.query("SELECT pg_notify($1, 'news')", [CHANNEL]);
  const begin = (heard: string[]) => listener.listen(CHANNEL, (payload) => heard.push(payload));

  /** Begins to listen as soon as that is possible. */
  async function beginAtLast(heard: string[]): Promise<void> {
    await expect
      .poll(() =>
        begin(heard).then(
          () => "listening",
          () => "unavailable",
        ),
      )
      .toBe("listening");
  }

  it.each(["refuses", "is silent"] as const)(
    "fails, and can be asked again, while the server %s",
    async (how) => {
      network.become(how);
      await expect(begin([])).rejects.toThrow(DatabaseUnavailableError);
      await expect(Promise.all([begin([]), begin([])])).rejects.toThrow(DatabaseUnavailableError);
      network.become("open");
      const heard: string[] = [];
      await beginAtLast(heard);
      await notify();
      await expect.poll(() => heard).toContain("news");
    },
  );

  it("fails on a connection that has gone silent, and leaves nobody waiting", async () => {
    const heard: string[] = [];
    await begin(heard);
    network.become("is silent");
    await expect(listener.listen("another", () => {})).rejects.toThrow(DatabaseUnavailableError);
    network.become("open");
    // The connection that gave no answer was cut off, and those who listened already are called when another is made.
    await expect.poll(() => heard).toContain("");
  });

  it("ends without an error while the server is away", async () => {
    const stop = await begin([]);
    network.become("refuses");
    await stop();
    const again = expect(begin([])).rejects.toThrow(DatabaseUnavailableError);
    await again;
  });

  it("listens for the one who came while another left", async () => {
    const stop = await begin([]);
    const heard: string[] = [];
    await Promise.all([stop(), begin(heard)]);
    await notify();
    await expect.poll(() => heard).toEqual(["news"]);
  });
});

/** A network between the listener and the server. */
interface Network {
  readonly url: string;
  /** "is silent": keeps what is open, delivers nothing and takes new connections; "refuses": has cut everything off. */
  become(state: "open" | "is silent" | "refuses"): void;
  close(): Promise<void>;
}

async function openNetwork(target: URL): Promise<Network> {
  const sockets = new Set<Socket>();
  let state: "open" | "is silent" | "refuses" = "open";
  const server: Server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    if (state === "refuses") incoming.destroy();
    incoming
      .on("data", (data) => state === "open" && outgoing.write(data))
      .on("close", () => outgoing.destroy());
    outgoing
      .on("data", (data) => state === "open" && incoming.write(data))
      .on("close", () => incoming.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = new URL(target);
  url.port = String(typeof address === "object" ? address?.port : 0);
  const cutOff = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    become: (next) => {
      state = next;
      if (next === "refuses") cutOff();
    },
    close: async () => {
      cutOff();
      server.close();
      await once(server, "close");
    },
  };
}
