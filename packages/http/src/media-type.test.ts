import { expect, it } from "vitest";
import { isUtf8, readMediaType } from "./media-type.ts";

const read = (header: string) => {
  const type = readMediaType(header);
  return type === undefined ? undefined : [type.essence, Object.fromEntries(type.parameters), isUtf8(type)];
};

it.each([
  ["application/json", ["application/json", {}, true]],
  [" Application/JSON ; Charset=UTF-8 ", ["application/json", { charset: "UTF-8" }, true]],
  ['application/json;charset="utf-8"', ["application/json", { charset: "utf-8" }, true]],
  [
    'application/json;charset="ut\\f-8";a="; charset=x"',
    ["application/json", { charset: "utf-8", a: "; charset=x" }, true],
  ],
  ["application/json;;  ;", ["application/json", {}, true]],
  ["application/json;charset=latin1", ["application/json", { charset: "latin1" }, false]],
  ["application/json;charset=utf-16", ["application/json", { charset: "utf-16" }, false]],
  ['application/json;charset=""', ["application/json", { charset: "" }, false]],
])("reads %j", (header, expected) => expect(read(header)).toEqual(expected));

it.each([
  "",
  "json",
  "application/",
  "application/json, application/json",
  "application/json;charset=utf-8;charset=utf-8",
  "application/json;charset=utf-8;CHARSET=latin1",
  "application/json;a=1;a=2",
  "application/json;charset",
  "application/json;charset =utf-8",
  "application/json;charset= utf-8",
  'application/json;charset="utf-8',
  'application/json;charset="utf-8"x',
  "application/json charset=utf-8",
])("refuses %j", (header) => expect(read(header)).toBeUndefined());
