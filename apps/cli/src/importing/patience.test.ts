import { afterEach, expect, it, vi } from "vitest";
import { Patience } from "./patience.ts";

afterEach(() => void vi.restoreAllMocks());

const patience = (patienceMs: number) =>
  new Patience({ url: "http://127.0.0.1:1", patienceMs, signal: new AbortController().signal });

it("lasts as long as it was given, whatever the wall clock is set to", async () => {
  const long = patience(60_000);
  const short = patience(10);
  const now = Date.now();
  const wall = vi.spyOn(Date, "now");
  wall.mockReturnValue(now + 3_600_000);
  await expect(long.wait("it is busy", 0)).resolves.toBeUndefined();
  wall.mockReturnValue(now - 3_600_000);
  await expect(short.wait("it is busy", 20)).rejects.toMatchObject({ code: "API_UNREACHABLE" });
});
