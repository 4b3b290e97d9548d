import { pageHeaders } from "@synap/http";
import { PROBLEM_CODES } from "@synap/types/http";
import type { Problem } from "../problems/problem.ts";
import { responseHeaders } from "../response-headers.ts";

const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui;margin:3rem auto;max-width:36rem;padding:0 1rem;overflow-wrap:anywhere}" +
  "button{font:inherit;padding:.5rem 1.5rem}small{opacity:.7}";

const HEADERS = {
  ...pageHeaders([STYLE], { hasForms: true }),
  // With no-referrer a browser would say "Origin: null" when it sends a form. The address of a page goes nowhere with this one either.
  "referrer-policy": "strict-origin",
  "content-type": "text/html; charset=utf-8",
};

/** A page without scripts. */
export interface Page {
  readonly status?: number;
  readonly title: string;
  /** HTML. What comes from elsewhere in it has been through {@link escapeHtml}. */
  readonly content: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers `Set-Cookie`. */
  readonly cookies?: readonly string[];
  /** The path of this server that the browser opens next, by itself. */
  readonly next?: string;
}

/** Answers with a page. */
export function sendHtml(requestId: string, page: Page): Response {
  const { status = 200, title, content, headers = {}, cookies = [], next } = page;
  const refresh = next === undefined ? "" : `<meta http-equiv="refresh" content="0;url=${escapeHtml(next)}">`;
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<style>${STYLE}</style></head><body><main><h1>${escapeHtml(title)}</h1>
${content}
</main></body></html>`;
  const all = new Headers(responseHeaders(requestId, { ...HEADERS, ...headers }));
  for (const cookie of cookies) all.append("set-cookie", cookie);
  return new Response(html, { status, headers: all });
}

/** Answers a person in a browser with a problem. */
export function sendProblemPage(requestId: string, { code, status, message, headers }: Problem): Response {
  const content = `<p>${escapeHtml(message)}</p><p><small>${code}, request ${escapeHtml(requestId)}</small></p>`;
  return sendHtml(requestId, { status, title: PROBLEM_CODES[code].title, content, headers });
}

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Writes text as HTML, also for the value of an attribute in quotes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPED[character] ?? "");
}
