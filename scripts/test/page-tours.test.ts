import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, type PageTour, Reader, readPageTour } from "./processes/page-tour.ts";

/**
 * The pages whose bash blocks are run, and the blocks in them that are not, by a word in them and with the reason. Pages
 * not named here tell how to use Docker or Inngest's own server, which are not to be had everywhere tests run.
 */
const pages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "README.md": { "npm test": "starts this very Synap, and these very tests" },
  "docs/http-api.md": {
    "events/stream": "an endless stream",
    "events/types/shop.cart_abandoned":
      "needs a key with register-types; registered-types.e2e.test.ts has one",
  },
  "docs/loading.md": {},
  "docs/operating.md": {
    "synap events tail\n": "an endless stream",
    "npx -y pnpm@12 compress": "the running Synap has the data directory; compress.e2e.test.ts runs it",
    "pgbouncer:6432": "the addresses of a pooler and of its server; pooler.test.ts connects through one",
    "synap dead-letters retry": "a new store has no dead letter; synap-cli.e2e.test.ts makes some",
  },
  "docs/cloud-events.md": {},
  "docs/event-types.md": {},
};

let reader: Reader;
beforeAll(async () => {
  reader = await Reader.start();
});
afterAll(() => reader.stop());

describe.each(Object.entries(pages))("%s", async (page, elsewhere) => {
  const tour: PageTour = await readPageTour(page);

  it("has no commands that nobody runs, but for those with a reason", () => {
    const words = Object.keys(elsewhere);
    expect(tour.unmarked.filter((commands) => !words.some((word) => commands.includes(word)))).toEqual([]);
  });

  // The README's tour has a test of its own, which looks at more than the page shows.
  if (page === "README.md") return;

  for (const { commands, shows } of tour.stops) {
    it(`works as pasted: ${commands.trim().split("\n")[0]}`, async () => {
      if (shows === undefined) {
        // A problem document is a response too, and curl is content with it.
        expect(await reader.paste(commands)).not.toMatch(/"status":\s*[45]\d\d/);
        return;
      }
      const response = await eventually(
        async () => lastJson(await reader.paste(commands)),
        (value) => isAsShown(value, shows),
      );
      expect(response).toEqual(asShown(shows));
    });
  }
});

/** Load and curl print what they have to say first. */
function lastJson(output: string): unknown {
  return JSON.parse(output.trim().split("\n").at(-1) ?? "");
}

/** Converts a response shown on a page into a matcher: "..." matches any text, and a position any number. */
function asShown(shows: unknown, key = ""): unknown {
  if (shows === "...") return expect.any(String);
  if (key === "position") return expect.any(Number);
  if (Array.isArray(shows)) return shows.map((each) => asShown(each));
  if (typeof shows !== "object" || shows === null) return shows;
  return Object.fromEntries(Object.entries(shows).map(([name, value]) => [name, asShown(value, name)]));
}

function isAsShown(value: unknown, shows: unknown): boolean {
  try {
    expect(value).toEqual(asShown(shows));
    return true;
  } catch {
    return false;
  }
}
