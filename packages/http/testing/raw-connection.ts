import { connect, type Socket } from "node:net";

/** A connection to a server on which a test writes any bytes at all. */
export function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Everything that comes on a connection until it ends, with or without an error. */
export function everythingOn(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}

/** A client that sends a GET request and, once the response begins to arrive, reads nothing of it. Destroy the connection to end it. */
export async function askWithoutReading(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Socket> {
  const { host, pathname, search } = new URL(url);
  const socket = await openConnection(url);
  socket.pause();
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`);
  await new Promise((resolve) => socket.once("readable", resolve));
  return socket;
}
