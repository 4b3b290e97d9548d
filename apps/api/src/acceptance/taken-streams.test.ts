import type { SqlSession } from "@synap/database";
import { createSynapEvent } from "@synap/types";
import type { Scope } from "@synap/types/http";
import { streamKey } from "@synap/types/internal";
import { describe, expect, it } from "vitest";
import type { Principal } from "../identity/principal.ts";
import { createTakenLookup } from "./taken-streams.ts";

const sender = (kind: Principal["kind"], scopes: readonly Scope[] = ["publish"]): Principal => ({
  kind,
  id: "ada",
  scopes: new Set(scopes),
  credential: { kind: "key", id: "0123456789ab" },
});
const event = (aggregateId?: string) =>
  createSynapEvent({
    type: "note.creation.requested",
    data: { content: "x" },
    ...(aggregateId !== undefined && { aggregateId }),
  });

/** A session in which the first stream of each look-up is somebody else's. */
const others: SqlSession = { query: async <Row>() => [{ ordinal: 1 }] as Row[] };
const away: SqlSession = { query: () => Promise.reject(new Error("away")) };

describe("the streams that a sender may not publish to", () => {
  it("are looked up for users only, who may neither see all nor act for others", async () => {
    const [one, two] = [event("one"), event("two")];
    const taken = (principal: Principal) => createTakenLookup(others)(principal, [one, two]);
    expect(await taken(sender("user"))).toEqual(new Set([streamKey(one)]));
    for (const principal of [
      sender("user", ["publish", "read-all"]),
      sender("user", ["publish", "act-for-others"]),
      sender("agent"),
      sender("machine"),
      sender("staff"),
    ])
      expect(await taken(principal)).toEqual(new Set());
    expect(await createTakenLookup(away)(sender("user"), [])).toEqual(new Set());
  });

  it("can't be found while the database is away, except for events that begin a stream of their own", async () => {
    const find = createTakenLookup(away);
    expect(await find(sender("user"), [event(), event()])).toEqual(new Set());
    await expect(find(sender("user"), [event(), event("one")])).rejects.toThrow("away");
    expect(await find(sender("agent"), [event("one")])).toEqual(new Set());
  });
});
