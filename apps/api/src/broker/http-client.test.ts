import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readHttpResponse } from "./http-client.ts";

const PLAIN = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhällo".replace(
  "5",
  "6",
);
const CHUNKED =
  "HTTP/1.1 503 \r\ntransfer-encoding: chunked\r\n\r\n4;x=1\r\nbusy\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n";
const INTERIM = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${PLAIN}`;
const read = (text: string, isEnded = false) => readHttpResponse(Buffer.from(text), isEnded);

describe("readHttpResponse", () => {
  it("reads a body with a length, and one in chunks with extensions and trailers", () => {
    expect(read(PLAIN)).toEqual({ status: 200, body: "hällo", isReusable: true });
    expect(read(CHUNKED)).toEqual({ status: 503, body: "busy0123456789", isReusable: true });
    expect(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")?.body).toBe("");
  });

  it("skips interim responses", () => {
    expect(read(INTERIM)).toEqual({ status: 200, body: "hällo", isReusable: true });
  });

  it("waits for the complete response, wherever it is split", () => {
    fc.assert(
      fc.property(fc.constantFrom(PLAIN, CHUNKED, INTERIM), fc.nat(), (text, cut) => {
        const bytes = Buffer.from(text);
        expect(readHttpResponse(bytes.subarray(0, cut % bytes.length), false)).toBeUndefined();
      }),
    );
  });

  it("reads up to the end of the connection if there is no length", () => {
    const text = "HTTP/1.1 200 OK\r\n\r\nall of it";
    expect(read(text)).toBeUndefined();
    expect(read(text, true)).toEqual({ status: 200, body: "all of it", isReusable: false });
  });

  it("does not reuse a connection that will close, is HTTP/1.0, or received unexpected bytes", () => {
    expect(read(PLAIN.replace("\r\n\r\n", "\r\nConnection: Close\r\n\r\n"))?.isReusable).toBe(false);
    expect(read(PLAIN.replace("1.1", "1.0"))?.isReusable).toBe(false);
    expect(read(`${PLAIN}HTTP/1.1 200 OK`)?.isReusable).toBe(false);
  });

  it("refuses a response that is not HTTP, ends too early, or is too large", () => {
    expect(() => read("SSH-2.0-OpenSSH_9.6\r\n\r\n")).toThrow("not HTTP/1.1");
    expect(() => read(PLAIN.slice(0, -2), true)).toThrow("before the response was complete");
    expect(() => read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")).toThrow("no size");
    expect(() => read(PLAIN + "x".repeat(2_000_000))).toThrow("larger than");
  });
});
