import { expect, it } from "vitest";
import { isJsonOrEmpty } from "./json-body.ts";

it("accepts JSON, and requests without a body", () => {
  for (const headers of [
    {},
    { "content-length": "0" },
    { "content-type": "application/json", "content-length": "2" },
    { "content-type": "Application/JSON; charset=utf-8", "transfer-encoding": "chunked" },
  ]) {
    expect(isJsonOrEmpty({ headers }), JSON.stringify(headers)).toBe(true);
  }
});

it.each([
  { "content-type": "text/plain" },
  { "content-type": "text/plain; application/json", "content-length": "2" },
  { "content-type": "application/x-www-form-urlencoded", "content-length": "2" },
  { "content-type": "multipart/form-data; boundary=application/json", "content-length": "2" },
  { "content-type": "application/jsonp", "content-length": "2" },
  { "content-type": "", "content-length": "2" },
  { "content-type": "application/json; charset=utf-16", "content-length": "2" },
  { "content-type": "application/json; charset=utf-8; charset=utf-8", "content-length": "2" },
  { "content-type": "application/json", "content-encoding": "gzip", "content-length": "2" },
  { "content-type": "application/json", "content-encoding": "identity, gzip", "content-length": "2" },
  { "content-length": "2" },
  { "transfer-encoding": "chunked" },
])("refuses %j", (headers) => expect(isJsonOrEmpty({ headers })).toBe(false));
