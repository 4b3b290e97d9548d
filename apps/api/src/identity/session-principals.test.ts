import { createKeyToken, type StoredSession, sealSession, writeSessionToken } from "@synap/database/internal";
import { pino } from "pino";
import { expect, it } from "vitest";
import { createSessionPrincipals } from "./session-principals.ts";

const SECRET = "the secret of the sessions of tests";

/** A session in memory, with readings that wait until they are let go, and a clock. */
function sessionInMemory() {
  const token = createKeyToken();
  const grant = {
    kind: "staff",
    principalId: "ada",
    scopes: ["read", "of-a-later-release"],
    origin: "oidc:https://id.example",
    endsAt: "2999-01-01T00:00:00.000Z",
  } as const;
  let row: StoredSession = {
    ...grant,
    id: token.id,
    seal: sealSession(SECRET, token, grant),
    createdAt: "2026-01-01T00:00:00.000Z",
    lastUsedAt: new Date().toISOString(),
    idleEndsAt: "2999-01-01T00:00:00.000Z",
  };
  const state = { now: 0, waiting: Promise.resolve() };
  const sessions = createSessionPrincipals({
    secret: SECRET,
    logger: pino({ level: "silent" }),
    now: () => state.now,
    store: {
      find: async (id) => {
        const found = id === row.id ? row : undefined;
        await state.waiting;
        return found;
      },
      recordUse: async () => {},
      end: async () => {
        row = { ...row, revokedAt: "2026-01-02T00:00:00.000Z" };
      },
    },
  });
  const principalOf = async () => sessions.principalOf(writeSessionToken(token));
  return { state, sessions, token, principalOf };
}

const ended = expect.objectContaining({ code: "session-ended", status: 401 });

it("a session is read once for many requests, and permits no scope that is not known here", async () => {
  const { sessions, token, principalOf } = sessionInMemory();
  const first = await principalOf();
  expect([...first.scopes]).toEqual(["read"]);
  expect(sessions.principalOf(writeSessionToken(token))).toBe(first);
});

it("a session that was ended here stops at once, also if an earlier reading of it is still under way", async () => {
  const { state, sessions, token, principalOf } = sessionInMemory();
  await principalOf();
  let letGo = () => {};
  state.waiting = new Promise((resolve) => {
    letGo = resolve;
  });
  // Old enough to be read again, in the background.
  state.now = 11_000;
  expect(await principalOf()).toMatchObject({ id: "ada" });
  state.waiting = Promise.resolve();
  await sessions.end(token.id);
  await expect(principalOf()).rejects.toEqual(ended);
  letGo();
  await new Promise(setImmediate);
  await expect(principalOf()).rejects.toEqual(ended);
});
