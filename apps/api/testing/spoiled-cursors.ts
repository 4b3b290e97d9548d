import fc from "fast-check";

/** Ways to make a cursor that is nearly right, or one of another list. */
export const spoiledCursors: fc.Arbitrary<(cursor: string) => string> = fc.oneof(
  fc
    .tuple(fc.nat(), fc.constantFrom("A", "z", "0", "_", "=", "é", " "))
    .map(([at, by]) => (cursor: string) => {
      const place = at % cursor.length;
      return `${cursor.slice(0, place)}${by}${cursor.slice(place + 1)}`;
    }),
  fc.nat().map((length) => (cursor: string) => cursor.slice(0, 1 + (length % cursor.length))),
  fc.constantFrom("A", "==", "\n").map((end) => (cursor: string) => `${cursor}${end}`),
  fc
    .tuple(fc.nat(5), fc.constantFrom<unknown>(-1, 0, 1.5, 2 ** 53, 1e300, "1", null, [], "x".repeat(200)))
    .map(([at, value]) => (cursor: string) => {
      const fields = /^\[.*\]$/.exec(Buffer.from(cursor, "base64url").toString("utf8"));
      const read: unknown[] = JSON.parse(fields?.[0] ?? "[1, 2]");
      const changed = read.map((field, index) => (index === at % read.length ? value : field));
      return Buffer.from(JSON.stringify(changed)).toString("base64url");
    }),
  fc.string({ minLength: 1, maxLength: 40 }).map((text) => () => text.replaceAll("\0", "0")),
);
