/** Deletes the oldest entries of a full map, so that one more has room. Returns the map. */
export function makeRoom<Value>(map: Map<string, Value>, max: number): Map<string, Value> {
  for (const [oldest] of map) {
    if (map.size < max) break;
    map.delete(oldest);
  }
  return map;
}
