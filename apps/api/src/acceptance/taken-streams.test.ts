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
const sent = (fields: { id?: string; aggregateId?: string } = {}) => ({
  event: createSynapEvent({ type: "note.creation.requested", data: { content: "x" }, ...fields }),
  isIdentified: fields.id !== undefined,
});

/** A session in which the first stream of each look-up is somebody else's. */
const others: SqlSession = { query: async <Row>() => [{ ordinal: 1 }] as Row[] };
const away: SqlSession = { query: () => Promise.reject(new Error("away")) };

describe("the streams that a sender may not publish to", () => {
  it("are looked up for users only, who may neither see all nor act for others", async () => {
    const [one, two] = [sent({ aggregateId: "one" }), sent({ aggregateId: "two" })];
    const taken = (principal: Principal) => createTakenLookup(others)(principal, [one, two]);
    expect(await taken(sender("user"))).toEqual(new Set([streamKey(one.event)]));
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

  it("can't be found while the database is away, unless every event begins the stream of an id made for it", async () => {
    const find = createTakenLookup(away);
    expect(await find(sender("user"), [sent(), sent()])).toEqual(new Set());
    await expect(find(sender("user"), [sent(), sent({ aggregateId: "one" })])).rejects.toThrow("away");
    expect(await find(sender("agent"), [sent({ aggregateId: "one" })])).toEqual(new Set());
  });

  it("are looked up for an id that the sender chose, which can be the name of anybody's stream", async () => {
    const chosen = sent({ id: "01890a5d-ac96-774b-bcce-b302099a8057" });
    expect(await createTakenLookup(others)(sender("user"), [chosen])).toEqual(
      new Set([streamKey(chosen.event)]),
    );
    await expect(createTakenLookup(away)(sender("user"), [chosen])).rejects.toThrow("away");
  });
});
