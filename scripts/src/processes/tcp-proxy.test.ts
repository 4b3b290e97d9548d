import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Address, TcpProxy } from "./tcp-proxy.ts";

/** A server that answers every chunk with its own name and the chunk. */
async function startEcho(name: string): Promise<{ server: Server; address: Address }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => socket.write(`${name}:${String(chunk)}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, address: { host: "127.0.0.1", port: address.port } };
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  // A proxy that cuts the connection is part of what is tested.
  socket.on("error", () => undefined);
  return socket;
}

async function ask(socket: Socket, text: string): Promise<string> {
  const response = once(socket, "data");
  socket.write(text);
  return String((await response)[0]);
}

describe("TcpProxy", () => {
  const servers: Server[] = [];
  const proxies: TcpProxy[] = [];
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    for (const server of servers.splice(0)) server.close();
  });
  async function echo(name: string): Promise<Address> {
    const { server, address } = await startEcho(name);
    servers.push(server);
    return address;
  }
  async function proxyTo(...upstreams: [Address, ...Address[]]): Promise<TcpProxy> {
    const proxy = await TcpProxy.listen(upstreams);
    proxies.push(proxy);
    return proxy;
  }

  it("passes bytes in both directions", async () => {
    const proxy = await proxyTo(await echo("a"));
    expect(await ask(await connected(proxy.port), "hello")).toBe("a:hello");
  });

  it("holds bytes while stalled, and delivers them afterwards", async () => {
    const proxy = await proxyTo(await echo("a"));
    const socket = await connected(proxy.port);
    await ask(socket, "before");
    proxy.setMode("stall");
    let answered = false;
    const response = ask(socket, "held").finally(() => {
      answered = true;
    });
    // Another connection, straight to the server, makes the round trip that the held bytes would have made.
    expect(await ask(await connected(await directPort(servers)), "beside")).toBe("a:beside");
    expect(answered).toBe(false);
    proxy.setMode("pass");
    expect(await response).toBe("a:held");
  });

  it("cuts open connections when it drops, and takes new ones", async () => {
    const proxy = await proxyTo(await echo("a"));
    const socket = await connected(proxy.port);
    await ask(socket, "before");
    const failed = once(socket, "error");
    proxy.drop();
    await failed;
    expect(await ask(await connected(proxy.port), "again")).toBe("a:again");
  });

  it("cuts new connections while it refuses", async () => {
    const proxy = await proxyTo(await echo("a"));
    proxy.setMode("refuse");
    const socket = connect(proxy.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("error", resolve).once("close", resolve));
    proxy.setMode("pass");
    expect(await ask(await connected(proxy.port), "again")).toBe("a:again");
  });

  it("goes on to the next upstream when one is gone", async () => {
    const first = await startEcho("first");
    const proxy = await proxyTo(first.address, await echo("second"));
    first.server.close();
    await once(first.server, "close");
    const responses = [];
    for (let n = 0; n < 3; n += 1) responses.push(await ask(await connected(proxy.port), "x"));
    expect(responses).toEqual(["second:x", "second:x", "second:x"]);
  });
});

async function directPort(servers: readonly Server[]): Promise<number> {
  const address = servers[0]?.address();
  if (address === null || address === undefined || typeof address === "string") throw new Error("no port");
  return address.port;
}
