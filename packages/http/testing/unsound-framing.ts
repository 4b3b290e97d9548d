import { everythingOn, openConnection } from "./raw-connection.ts";

const HEAD = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n";

/** Headers that make a JSON request unsound, and the status with which every port answers them. */
export const UNSOUND_FRAMING = [
  ["Transfer-Encoding: gzip, chunked\r\n", 501],
  ["Host: localhost\r\nTransfer-Encoding: chunked\r\n", 400],
  ["Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", 400],
  ["Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 415],
] as const;

/** Sends a JSON body of two bytes in one chunk, with these headers added, and gives the whole response. */
export async function postChunked(url: string, path: string, headers: string, body: string): Promise<string> {
  const socket = await openConnection(url);
  socket.write(`POST ${path} HTTP/1.1\r\n${HEAD}${headers}\r\n2\r\n${body}\r\n0\r\n\r\n`);
  return everythingOn(socket);
}
