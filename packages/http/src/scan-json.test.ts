import { expect, it } from "vitest";
import { jsonFault } from "./scan-json.ts";

const bounds = { maxDepth: 3, maxValues: 5 };

it.each(["", "1", "[[[]]]", '{"a":{"b":{}}}', "[1,2,3,4]", '{"a":1,"b":"[[[[","c":true,"d":null}'])(
  "is within the bounds: %s",
  (text) => expect(jsonFault(text, bounds)).toBeUndefined(),
);

it.each([
  ["[[[[]]]]", "The body is nested deeper than 3 levels"],
  ['{"a":{"b":{"c":[]}}}', "The body is nested deeper than 3 levels"],
  ["[1,2,3,4,5]", "The body has more than 5 values"],
  ['{"a":1,"b":2,"c":3,"d":4,"e":5}', "The body has more than 5 values"],
])("is beyond them: %s", (text, reason) => expect(jsonFault(text, bounds)).toBe(reason));
