import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { unservedApp } from "../testing/unserved-app.ts";

const page = readFileSync(new URL("../../../docs/sending-again.md", import.meta.url), "utf8");

interface Operation {
  readonly tags?: readonly string[];
}

it("docs/sending-again.md has a line for every request that changes something, and for no other", async () => {
  const document = JSON.parse(await (await unservedApp().request("/openapi.json")).text());
  const changing = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== "get")
      .map(([method, { tags }]) =>
        // Each application has its own commands.
        method === "post" && tags?.includes("aggregates")
          ? "POST /api/v1/{path}/{id}/{command}"
          : `${method.toUpperCase()} ${path}`,
      ),
  );
  const described = [...page.matchAll(/^\| `([A-Z]+ [^`]+)` \| \S/gm)].map(([, request]) => request);
  expect(described.toSorted()).toEqual([...new Set(changing)].toSorted());
});
