import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, serverUrl, type TestDatabase, testEngines } from "../../testing/index.ts";
import { DatabaseUnavailableError } from "../index.ts";
import { withConnection } from "./server-connection.ts";
import { createServerListener, type ServerListener } from "./server-listener.ts";

const CHANNEL = "synap_appends";
/** Long enough for a connection on a busy machine. */
const LIMIT_MS = 3_000;

describe.runIf(testEngines().includes("server"))("a listener on a server", () => {
  let test: TestDatabase;
  let target = new URL("postgres://none");
  let network: Network;
  let listener: ServerListener;

  beforeAll(async () => {
    test = await createTestDatabase("server");
    target = new URL(serverUrl(test));
  });
  afterAll(() => test.drop());
  beforeEach(async () => {
    network = await openNetwork(target);
    listener = createServerListener(
      { url: network.url, applicationName: "synap test", connectTimeout: LIMIT_MS },
      LIMIT_MS,
    );
  });
  afterEach(async () => {
    await listener.close();
    await network.close();
  });

  const notify = () => test.database.query("SELECT pg_notify($1, 'news')", [CHANNEL]);
  const begin = (heard: string[]) => listener.listen(CHANNEL, (payload) => heard.push(payload));

  /** Listens as soon as possible. */
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
    "fails, and can be retried, while the server %s",
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

  it("fails on a silent connection, and leaves no caller waiting", async () => {
    const heard: string[] = [];
    await begin(heard);
    network.become("is silent");
    await expect(listener.listen("another", () => {})).rejects.toThrow(DatabaseUnavailableError);
    network.become("open");
    // The silent connection was cut off, and earlier listeners are called after the reconnect.
    await expect.poll(() => heard).toContain("");
  });

  it("stops without an error while the server is unavailable", async () => {
    const stop = await begin([]);
    network.become("refuses");
    await stop();
    const again = expect(begin([])).rejects.toThrow(DatabaseUnavailableError);
    await again;
  });

  it("contacts the server again after each refusal", async () => {
    const elsewhere = new URL(network.url);
    elsewhere.pathname = "/there_is_no_such_database";
    const refused = createServerListener(
      { url: elsewhere.href, applicationName: "synap test", connectTimeout: LIMIT_MS },
      LIMIT_MS,
    );
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await refused.listen(CHANNEL, () => {}).catch(() => {});
      expect(network.connections()).toBe(attempt);
    }
    await refused.close();
  });

  it("stops without an error while it can't reconnect", async () => {
    const stop = await begin([]);
    network.become("refuses");
    network.become("is silent");
    await expect.poll(() => network.connections()).toBe(2);
    await stop();
  });

  it("sends UNLISTEN when the last listener stops", async () => {
    const stop = await begin([]);
    await stop();
    const observer = { url: target.href, applicationName: "synap observer", connectTimeout: 5_000 };
    const last = await withConnection(observer, (connection) =>
      connection.script(
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'synap test'",
        undefined,
      ),
    );
    expect(last.rows).toEqual([{ query: `UNLISTEN "${CHANNEL}"` }]);
  });

  it("keeps listening for a listener that joins while another leaves", async () => {
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
  /** Number of connections made through it. */
  connections(): number;
  /** "is silent": keeps what is open, delivers nothing and takes new connections; "refuses": has cut everything off. */
  become(state: "open" | "is silent" | "refuses"): void;
  close(): Promise<void>;
}

async function openNetwork(target: URL): Promise<Network> {
  const sockets = new Set<Socket>();
  let state: "open" | "is silent" | "refuses" = "open";
  let made = 0;
  const server: Server = createServer((incoming) => {
    made += 1;
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
    connections: () => made,
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
