import type { Comparing } from "./find-doubts.ts";
import { asSchema, listOf, type SchemaObject } from "./json-schema.ts";
import type { Doubt } from "./place.ts";
import { itemAt, itemOf } from "./place.ts";
import { type PartPair, samplesWith } from "./scalar-doubts.ts";

/** The doubts about lists: their lengths, and their items by place. */
export function checkList(comparing: Comparing, { from, to, place }: PartPair): readonly Doubt[] {
  const { sampler, compare, doubt } = comparing;
  const doubts: Doubt[] = [];
  const least = numberOf(from["minItems"], 0);
  const most = mostItems(from);
  const { minItems, maxItems, uniqueItems } = to;
  if (typeof minItems === "number" && !(least >= minItems))
    doubts.push(
      doubt(place, { keyword: "minItems", reason: `it must have at least ${minItems} items` }, () =>
        samplesWith(sampler, from, { maxItems: minItems - 1 }),
      ),
    );
  if (typeof maxItems === "number" && !(most <= maxItems))
    doubts.push(
      doubt(place, { keyword: "maxItems", reason: `it must have at most ${maxItems} items` }, () =>
        samplesWith(sampler, from, { minItems: maxItems + 1 }),
      ),
    );
  if (uniqueItems === true && from["uniqueItems"] !== true && most > 1)
    doubts.push(
      doubt(place, { keyword: "uniqueItems", reason: "its items must differ" }, () => {
        const item = sampler.smallest(itemAt(from, 0));
        return [[item, item], ...samplesWith(sampler, from, { minItems: 2 })];
      }),
    );
  const named = Math.max(listOf(from["prefixItems"]).length, listOf(to["prefixItems"]).length);
  for (let index = 0; index < Math.min(named, most); index += 1) {
    const at = itemOf(place, index, { isAny: false, schema: from, sampler });
    doubts.push(...compare(itemAt(from, index), itemAt(to, index), at));
  }
  if (most > named) {
    const at = itemOf(place, named, { isAny: true, schema: from, sampler });
    doubts.push(...compare(asSchema(from["items"] ?? true), asSchema(to["items"] ?? true), at));
  }
  return doubts;
}

/** The largest length of a list; also known where no further items are accepted. */
function mostItems(schema: SchemaObject): number {
  const most = numberOf(schema["maxItems"], Number.POSITIVE_INFINITY);
  return schema["items"] === false ? Math.min(most, listOf(schema["prefixItems"]).length) : most;
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
