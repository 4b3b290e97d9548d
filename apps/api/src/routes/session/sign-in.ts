import { writeSessionToken } from "@synap/database/internal";
import { senderOf } from "@synap/http";
import { localPath } from "@synap/types/http";
import { z } from "zod";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { decodeText, readBody, readContentType } from "../../body/read-body.ts";
import type { RequestHead } from "../../identity/authentication.ts";
import { signInDisabled } from "../../identity/refusals.ts";
import { escapeHtml, sendHtml } from "../../pages/page.ts";
import { Problem } from "../../problems/problem.ts";
import { responseHeaders } from "../../response-headers.ts";
import { readParameters, readQuery, registerDialog, requestHead } from "../route-registration.ts";

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
    if (link === undefined) throw linkMissing();
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
    return new Response(null, {
      status: 303,
      headers: responseHeaders(context.get("requestId"), {
        location: returnTo,
        "set-cookie": cookie.set(writeSessionToken(session), secondsUntil(session.endsAt)),
      }),
    });
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
