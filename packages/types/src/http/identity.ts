import { z } from "zod";
import type { RequestSchemas } from "./parameter-forms.ts";

/** The scopes: what a principal may do over HTTP, with the meaning of each. */
export const SCOPE_MEANINGS = {
  publish: "publish events, append to streams, execute commands",
  read: "read one's own events, streams, aggregates, read models and statistics, and the event types",
  "read-all": "read every row, where `read` reads one's own; read models without owners",
  "read-personal":
    "get the personal data in events and aggregates that one may read; without it they are masked",
  "act-for-others": "set userId and createdBy of events, and the actor of admin actions",
  backfill: "publish events of any age",
  "register-types": "register event types without code; not for users and agents",
  admin: "dead letters, projections, the processing of events, the detailed status",
  metrics: "the figures of the status and the metrics",
} as const;

export type Scope = keyof typeof SCOPE_MEANINGS;

export const SCOPES: readonly Scope[] = Object.keys(SCOPE_MEANINGS).filter(isScope);

/** True for the name of a scope. */
export function isScope(name: string): name is Scope {
  return Object.hasOwn(SCOPE_MEANINGS, name);
}

/** The kinds of principals, with the scopes of each where its credential names none. */
export const DEFAULT_SCOPES = {
  staff: ["publish", "read", "read-all"],
  user: ["publish", "read"],
  agent: ["publish", "read"],
  machine: [],
} as const satisfies Record<string, readonly Scope[]>;

export type PrincipalKind = keyof typeof DEFAULT_SCOPES;

export const PRINCIPAL_KINDS: readonly PrincipalKind[] = ["staff", "user", "agent", "machine"];

/** True for a kind of principal. */
export function isPrincipalKind(kind: string): kind is PrincipalKind {
  return Object.hasOwn(DEFAULT_SCOPES, kind);
}

/** Prefix of a machine's id in `createdBy`, which knows users and agents only. No agent's id may begin with it. */
const MACHINE = "service:";

/** The id of a principal: 1 to 120 printable ASCII characters, so that `createdBy` can hold it. */
export const principalId = z
  .string()
  .regex(/^[!-~](?:[ -~]{0,118}[!-~])?$/, "must have 1 to 120 printable ASCII characters");

/** The reason why no principal of this kind may have this id; undefined if it may. */
export function principalFault(kind: PrincipalKind, id: string): string | undefined {
  if (kind === "agent" && id.startsWith(MACHINE)) return `of an agent must not begin with ${MACHINE}`;
  return principalId.safeParse(id).success ? undefined : "must have 1 to 120 printable ASCII characters";
}

/** The actor as `createdBy` names it: `user:{id}` for staff and users, `agent:{id}`, `agent:service:{id}` for a machine. */
export function actorOf({ kind, id }: { readonly kind: PrincipalKind; readonly id: string }): string {
  if (kind === "agent") return `agent:${id}`;
  return kind === "machine" ? `agent:${MACHINE}${id}` : `user:${id}`;
}

/** The sender of a request, as the API sees it. */
export const currentSession = z.object({
  kind: z.enum(PRINCIPAL_KINDS),
  id: z.string(),
  scopes: z.array(z.enum(SCOPES)).describe("Sorted by name."),
  credential: z
    .object({
      kind: z
        .enum(["key", "jwt", "session", "local"])
        .describe(
          "`session`: the cookie of a browser that has signed in. `local`: none, on the API's own machine.",
        ),
      id: z.string(),
    })
    .describe("By what the sender was identified."),
  expiresAt: z.iso.datetime().optional().describe("End of the credential; absent if it does not expire."),
});

/**
 * A path of the API itself, such as `/docs`. Nothing that a browser could take for the address of another server: no `//`, no backslash and
 * no encoded one at its start, no control characters.
 */
export const localPath = z
  .string("must be given exactly once")
  .max(2_000, "must have at most 2000 characters")
  .regex(/^\/(?:[A-Za-z0-9_-][!#-[\]-~]*)?$/, "must be a path of this server, such as /docs");

/** A new sign-in link. */
export const newSignInLink = z.strictObject({
  returnTo: localPath.optional().describe("The page to show after signing in. Default: `/`."),
});

/** A link by which a browser signs in, once. */
export const signInLink = z.object({
  url: z.url().describe("The address to open in a browser."),
  expiresAt: z.iso.datetime().describe("The moment from which it does not work any more."),
});

/** The session that was ended. */
export const endedSession = z.object({ ended: z.string().describe("Id of the session.") });

/** Request schemas of the operations on the session, by operationId. */
export const SESSION_REQUESTS = {
  getSession: {},
  endSession: {},
  createSignInLink: { body: newSignInLink },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of the session, by their names in the OpenAPI document. */
export const SESSION_RESOURCES = {
  CurrentSession: currentSession,
  EndedSession: endedSession,
  SignInLink: signInLink,
} as const satisfies Record<string, z.ZodType>;
