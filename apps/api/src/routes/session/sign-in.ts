import { writeSessionToken } from "@synap/database/internal";
import { senderOf } from "@synap/http";
import { localPath } from "@synap/types/http";
import { z } from "zod";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { decodeText, readBody, readContentType } from "../../body/read-body.ts";
import type { RequestHead } from "../../identity/authentication.ts";
import { signInDisabled } from "../../identity/refusals.ts";
import type { RequestCookie } from "../../identity/session-cookie.ts";
import { escapeHtml, sendHtml } from "../../pages/page.ts";
import { Problem } from "../../problems/problem.ts";
import { requestHead } from "../../request-head.ts";
import { responseHeaders } from "../../response-headers.ts";
import { TRANSACTION_SECONDS } from "../../signing-in/identity-provider.ts";
import { readParameters, readQuery, registerDialog } from "../route-registration.ts";

const parameters = z.object({
  link: z.string("must be given exactly once").optional(),
  returnTo: localPath.default("/"),
});

const FORM = "application/x-www-form-urlencoded";
/** Largest form in bytes: a link and a path. */
const MAX_FORM_BYTES = 8_192;

/**
 * GET and POST /sign-in: the page that a sign-in link opens, and its button. Looking at the page does not use the link up, as programs
 * that look at links in messages do; the form does, and needs no script.
 */
export function signInRoutes(app: ApiApp, { sessions }: Pick<ApiDependencies, "sessions">): void {
  registerDialog(app, "get", "/sign-in", async (context) => {
    const { link, returnTo } = readQuery(context, parameters);
    if (link === undefined) return sendProviderPage(context, sessions, returnTo);
    const grant = await linksOf(sessions).find(link);
    const who = `${grant.kind} ${grant.principalId}`;
    const { host = "" } = requestHead(context).headers;
    return sendHtml(context.get("requestId"), {
      title: "Sign in to Synap",
      content: `<p>This signs you in at ${escapeHtml(host)} as <strong>${escapeHtml(who)}</strong>, in this browser and for a day at most.</p>
<form method="post" action="/sign-in"><input type="hidden" name="link" value="${escapeHtml(link)}">
<input type="hidden" name="returnTo" value="${escapeHtml(returnTo)}"><button>Sign in</button></form>
<p><small>If somebody has sent you this link, you would work under that name.</small></p>`,
    });
  });
  registerDialog(app, "post", "/sign-in", async (context) => {
    const head = requestHead(context);
    requireOwnPage(head);
    const { link, returnTo } = await readForm(context);
    const cookie = sessions.cookie(head);
    const session = await linksOf(sessions).use(link ?? "", cookie.value);
    return redirect(context, returnTo, [
      cookie.set(writeSessionToken(session), secondsUntil(session.endsAt)),
    ]);
  });
}

/**
 * GET /sign-in/provider and /sign-in/callback: signing in at the identity provider. The browser keeps a sealed cookie meanwhile, so that only
 * the one that has begun can end it.
 */
export function providerRoutes(app: ApiApp, { sessions }: Pick<ApiDependencies, "sessions">): void {
  const { provider } = sessions;
  if (provider === undefined) return;
  registerDialog(app, "get", "/sign-in/provider", async (context) => {
    const { returnTo } = readQuery(context, parameters.omit({ link: true }));
    const { url, transaction } = await provider.begin(returnTo);
    const cookie = provider.cookie(requestHead(context));
    return redirect(context, url, [cookie.set(transaction, TRANSACTION_SECONDS)]);
  });
  registerDialog(app, "get", "/sign-in/callback", async (context) => {
    const head = requestHead(context);
    const own = provider.cookie(head);
    const cookie = sessions.cookie(head);
    const [, query = ""] = /\?(.*)$/.exec(context.req.url) ?? [];
    const cookies = { transaction: own.value, session: cookie.value };
    const { session, returnTo } = await provider.finish(query, cookies).catch((error: unknown) => {
      throw forgetting(error, own);
    });
    const set = cookie.set(writeSessionToken(session), secondsUntil(session.endsAt));
    // A redirect would be a part of the way from the provider, another site, whose requests may not use the session.
    return sendHtml(context.get("requestId"), {
      title: "You are signed in",
      content: `<p><a href="${escapeHtml(returnTo)}">Go on</a></p>`,
      cookies: [set, own.clear()],
      next: returnTo,
    });
  });
}

/** The problem of an answer that was refused, after which the transaction is over: another answer is not accepted. */
function forgetting(error: unknown, transaction: RequestCookie): unknown {
  if (!(error instanceof Problem) || error.code !== "sign-in-refused") return error;
  const { code, message, headers, cause } = error;
  return new Problem(code, message, { headers: { ...headers, "set-cookie": transaction.clear() }, cause });
}

/** Sends the browser to another address. Not with 302, which keeps the method in some of them. */
function redirect(context: ApiContext, location: string, cookies: readonly string[]): Response {
  const headers = new Headers(responseHeaders(context.get("requestId"), { location }));
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 303, headers });
}

/** Answers with the page that leads to the identity provider. A link and not a form, whose policy would forbid the redirect. */
function sendProviderPage(
  context: ApiContext,
  { provider }: ApiDependencies["sessions"],
  returnTo: string,
): Response {
  if (provider === undefined) throw linkMissing();
  const address = `${provider.signInUrl}?${new URLSearchParams({ returnTo })}`;
  return sendHtml(context.get("requestId"), {
    title: "Sign in to Synap",
    content: `<p><a href="${escapeHtml(address)}">Sign in at ${escapeHtml(new URL(provider.issuer).host)}</a></p>`,
  });
}

function secondsUntil(moment: string): number {
  return Math.max(0, Math.ceil((Date.parse(moment) - Date.now()) / 1_000));
}

async function readForm(context: ApiContext): Promise<z.output<typeof parameters>> {
  readContentType(context.req.raw, [FORM]);
  const text = decodeText(await readBody(context.req.raw, MAX_FORM_BYTES));
  return readParameters(new URLSearchParams(text), parameters);
}

/** Checks that the form was on a page of this API: no other page may sign a browser in, as whoever it likes. */
function requireOwnPage({ headers }: RequestHead): void {
  const sender = senderOf(headers);
  if (sender === "same-origin") return;
  if (sender === "other-origin")
    throw new Problem(
      "cross-site",
      "A page of another origin may not sign you in here. Open the link itself.",
    );
  throw new Problem(
    "origin-missing",
    "Signing in needs Sec-Fetch-Site or Origin, which browsers send with a form; a proxy may have removed them.",
  );
}

function linksOf({ links }: ApiDependencies["sessions"]) {
  if (links === undefined) throw signInDisabled();
  return links;
}

function linkMissing(): Problem {
  return new Problem(
    "sign-in-link-invalid",
    "Open the whole address of a sign-in link, with what follows the question mark.",
  );
}
