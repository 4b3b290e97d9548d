import { revokeApiKey } from "@synap/database/internal";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Frame, readFrames } from "../testing/read-frames.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import {
  createIssuerKey,
  type IssuerKey,
  signToken,
  startTestIssuer,
  type TestIssuer,
  tokensOf,
} from "../testing/test-issuer.ts";
import { createTestKey } from "../testing/test-keys.ts";

const clock = { now: 0 };
let api: TestApi;
let issuer: TestIssuer;
let signer: IssuerKey;

beforeAll(async () => {
  signer = await createIssuerKey("ES256", "k");
  issuer = await startTestIssuer([signer.jwk]);
  const tokens = tokensOf(issuer, { ops: { kind: "staff", scopes: ["read"] } });
  const identity = { apiKeys: true, localAccess: true, tokens };
  api = await startTestApi({ identity }, "embedded", {
    clock: () => clock.now,
    credentialCheckMs: 20,
  });
});
afterAll(async () => {
  await api.stop();
  await issuer.stop();
});

afterEach(() => {
  vi.useRealTimers();
});

const tail = (token: string) =>
  fetch(`${api.url}/api/v1/events/stream`, { headers: { authorization: `Bearer ${token}` } });

/** The frames of a response until it ends; `onFirst` is called after the first. */
async function framesOf(response: Response, onFirst: () => unknown): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(response)) if (frames.push(frame) === 1) await onFirst();
  return frames;
}

const ended = (detail: string) => ({
  event: "problem",
  data: { status: 401, code: "credential-ended", detail: expect.stringContaining(detail) },
});

describe("a live tail", () => {
  it("ends within 30 s of the revocation of its key, and says so last", async () => {
    const token = await createTestKey(api.database, "staff", "ops", ["read"]);
    const other = await createTestKey(api.database, "staff", "ops", ["read"]);
    const begun = clock.now;
    let timer: ReturnType<typeof setInterval> | undefined;
    const leaves = new AbortController();
    const stays = await fetch(`${api.url}/api/v1/events/stream`, {
      headers: { authorization: `Bearer ${other}` },
      signal: leaves.signal,
    });
    const frames = await framesOf(await tail(token), async () => {
      await revokeApiKey(api.database, token.split("_")[1] ?? "");
      // A second of the clock for each check: slower than any check is in production, and too fast for a slow database.
      timer = setInterval(() => {
        clock.now = Math.min(clock.now + 1_000, begun + 29_000);
      }, 100);
    });
    clearInterval(timer);
    expect(frames.at(-1)).toMatchObject(ended("was revoked"));
    expect(clock.now - begun).toBeLessThan(30_000);
    const reader = stays.body?.getReader();
    expect(await reader?.read()).toMatchObject({ done: false });
    leaves.abort();
    expect((await tail(token)).status).toBe(401);
  });

  it("ends with its token, and says so last", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const exp = Math.floor(Date.now() / 1_000) + 60;
    const token = await signToken(signer, { iss: issuer.url, aud: "synap", roles: "ops", exp });
    const frames = await framesOf(await tail(token), () => vi.setSystemTime(exp * 1_000));
    expect(frames[0]).toMatchObject({ event: "progress" });
    expect(frames.at(-1)).toMatchObject(ended("has expired"));
    // The token is accepted for some seconds more, because clocks differ, but not for a long response.
    const again = await tail(token);
    expect([again.status, again.headers.get("www-authenticate")]).toEqual([
      401,
      'Bearer realm="synap", error="invalid_token"',
    ]);
  });
});
