import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP address. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Treatment of bytes and connections by a proxy. */
export type ProxyMode = "pass" | "stall" | "refuse";

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

/**
 * A TCP proxy on a loopback port that can break a connection in every way a network does: hold all bytes (`stall`), cut
 * every connection (`drop`), or cut every connection and every new one (`refuse`). With several upstreams it is a load
 * balancer as well: each new connection goes to the next upstream that accepts it.
 */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #upstreams: readonly Address[];
  readonly #pairs = new Set<Pair>();
  #mode: ProxyMode = "pass";
  #next = 0;

  /** @param port 0 takes a free one */
  static async listen(upstreams: readonly [Address, ...Address[]], port = 0): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy has no TCP port.");
    return new TcpProxy(server, address.port, upstreams);
  }

  private constructor(server: Server, port: number, upstreams: readonly Address[]) {
    this.#server = server;
    this.#upstreams = upstreams;
    this.port = port;
    server.on("connection", (client) => this.#accept(client));
  }

  setMode(mode: ProxyMode): void {
    this.#mode = mode;
    if (mode === "refuse") this.drop();
    for (const { client, upstream } of this.#pairs) {
      for (const socket of [client, upstream]) {
        if (mode === "stall") socket.pause();
        else socket.resume();
      }
    }
  }

  /** Cuts every open connection with a reset, as a network that lost its state does. */
  drop(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  async close(): Promise<void> {
    this.setMode("refuse");
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    client.on("error", () => undefined);
    if (this.#mode === "refuse") {
      client.resetAndDestroy();
      return;
    }
    client.pause();
    this.#connect(client, this.#upstreams.length);
  }

  #connect(client: Socket, attemptsLeft: number): void {
    const target = this.#upstreams[this.#next++ % this.#upstreams.length];
    if (target === undefined || attemptsLeft === 0) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...target, allowHalfOpen: true });
    const refused = () => this.#connect(client, attemptsLeft - 1);
    upstream.once("error", refused);
    upstream.once("connect", () => {
      upstream.off("error", refused);
      upstream.on("error", () => client.destroy());
      this.#join({ client, upstream });
    });
  }

  #join(pair: Pair): void {
    const { client, upstream } = pair;
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.once("close", end);
    upstream.once("close", end);
    this.#forward(client, upstream);
    this.#forward(upstream, client);
    if (client.destroyed || this.#mode === "refuse") end();
    else if (this.#mode === "pass") client.resume();
    else upstream.pause();
  }

  /** Not `pipe`, which resumes a source by itself when its target has drained, also in the middle of a stall. */
  #forward(from: Socket, to: Socket): void {
    from.on("data", (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => {
      if (this.#mode !== "stall") from.resume();
    });
    from.once("end", () => to.end());
  }
}
