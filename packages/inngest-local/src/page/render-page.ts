import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { RunSummary } from "../queue/runs.ts";
import type { UnmatchedEvents } from "../queue/unmatched-events.ts";
import type { AppState } from "../registration/app-poller.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import type { RegisteredApp } from "../registration/function-registry.ts";

/** Content of the page. */
interface PageContent {
  readonly apps: readonly RegisteredApp[];
  readonly appStates: readonly { readonly url: string; readonly state: AppState }[];
  /** Queued calls by function id; timers under the empty id. */
  readonly queued: ReadonlyMap<string, number>;
  readonly runs: readonly RunSummary[];
  /** Shows what runs returned or threw. */
  readonly showsResults: boolean;
  /** Ids of the runs that an app is working on. */
  readonly calledRuns: ReadonlySet<string>;
  /** Events that are kept because they match no function. */
  readonly unmatched: readonly UnmatchedEvents[];
  /** Failure handlers that have failed in all their attempts. */
  readonly failingHandlers: number;
  /** By the queue's clock, like all times here. */
  readonly now: number;
  /** Lead of the queue's clock over the wall clock, in milliseconds. */
  readonly aheadOfWall: number;
}

type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

/** Content of the page's style element. */
export const PAGE_STYLE = `
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2024; background: #fff }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin: 1.5rem 0 .4rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e3e6ea }
th { font-weight: 600; color: #5b6570 }
code, pre { font: 12px/1.45 ui-monospace, monospace } pre { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
.completed { color: #18794e } .failed, .refused { color: #c62a2f } .running, .waiting { color: #ad5700 } .muted { color: #5b6570 }
@media (prefers-color-scheme: dark) {
  body { background: #15181b; color: #e8eaed } th, td { border-color: #2c3238 } th, .muted { color: #9aa4ae }
  .completed { color: #3dd68c } .failed, .refused { color: #ff8b8e } .running, .waiting { color: #ffb224 }
}`;

/** Renders the page: self-contained, without scripts, reloaded every few seconds. */
export function renderPage(content: PageContent): Markup {
  const functions = content.apps.flatMap(({ configs }) => configs);
  const timers = content.queued.get("") ?? 0;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>inngest-local</title><style>${raw(PAGE_STYLE)}</style>
</head>
<body>
<h1>inngest-local</h1>
<p class="muted">Local broker in place of the Inngest server. ${timers} steps sleeping.
The page reloads every 5 seconds.</p>
<h2>Apps</h2>
<table><tr><th>App</th><th>URL</th><th>State</th><th>SDK</th><th>Registered</th></tr>
${content.apps.map((app) => appRow(app, content))}
${content.appStates.filter(({ url }) => !content.apps.some((app) => sameApp(app.url, url))).map(waitingRow)}
</table>
<h2>Functions</h2>
<table><tr><th>Function</th><th>Starts on</th><th>Attempts</th><th>Flow</th><th>Queued calls</th></tr>
${functions.map((config) => functionRow(config, content.queued.get(config.id) ?? 0))}
</table>
${content.unmatched.length > 0 ? unmatchedEvents(content.unmatched) : ""}
${content.failingHandlers > 0 ? html`<p class="failed">Failure handlers that have failed in all their attempts: ${content.failingHandlers}. They keep their events and are restarted.</p>` : ""}
<h2>Recent runs</h2>
${content.showsResults ? "" : html`<p class="muted">What they returned or threw is shown at <a href="/results">/results</a>: any user name, and the signing key as the password.</p>`}
${content.runs.length === 0 ? html`<p class="muted">None yet.</p>` : ""}
<table><tr><th>Run</th><th>Function</th><th>Event</th><th>Status</th><th>Attempt</th><th>Started</th><th>Took</th><th>Steps and result</th></tr>
${content.runs.map((run) => runRow(run, content))}
</table>
</body>
</html>`;
}

function appRow(app: RegisteredApp, { appStates, aheadOfWall }: PageContent): Markup {
  const state = appStates.find(({ url }) => sameApp(app.url, url))?.state ?? { state: "registered" as const };
  return html`<tr><td>${app.name}</td><td><code>${app.url}</code></td><td>${stateText(state)}</td><td>${app.sdk}</td><td>${time(app.registeredAt, aheadOfWall)}</td></tr>`;
}

function waitingRow({ url, state }: PageContent["appStates"][number]): Markup {
  return html`<tr><td class="muted">unknown</td><td><code>${url}</code></td><td>${stateText(state)}</td><td></td><td></td></tr>`;
}

function stateText(state: AppState): Markup {
  const reason = state.state === "refused" ? `: ${state.reason}` : "";
  return html`<span class="${state.state}">${state.state}${reason}</span>`;
}

function functionRow(config: FunctionConfig, queued: number): Markup {
  const triggers = [
    ...config.events.map(({ event, expression }) =>
      expression === undefined ? event : `${event} if ${expression}`,
    ),
    ...config.crons.map((cron) => `cron ${cron}`),
  ];
  const limit = config.concurrency === undefined ? "" : `at most ${config.concurrency}`;
  return html`<tr><td>${config.name}<br><code class="muted">${config.id}</code></td><td>${lines(triggers)}</td><td>${config.maxAttempts}</td><td>${limit}</td><td>${queued}</td></tr>`;
}

function unmatchedEvents(unmatched: readonly UnmatchedEvents[]): Markup {
  const names = unmatched.map(({ name, events }) => `${name} (${events})`);
  return html`<h2>Events kept until a function matches them</h2><p class="failed">${lines(names)}</p>`;
}

function runRow(run: RunSummary, { calledRuns, now, aheadOfWall, showsResults }: PageContent): Markup {
  const status = run.status === "open" ? (calledRuns.has(run.id) ? "running" : "waiting") : run.status;
  const took = run.startedAt === undefined ? "" : `${(run.endedAt ?? now) - run.startedAt} ms`;
  const steps = run.steps.map(
    ({ name, op, status }) => `${name} · ${op}${status === "done" ? "" : " · pending"}`,
  );
  const result = showsResults ? (run.error ?? run.output) : undefined;
  return html`<tr><td><code>${run.id}</code></td><td>${run.functionId}</td><td>${run.eventName}</td>
<td class="${status}">${status}</td><td>${run.attempt + 1}</td><td>${time(run.startedAt ?? run.createdAt, aheadOfWall)}</td><td>${took}</td>
<td>${lines(steps)}${result === undefined ? "" : html`<pre>${readable(result)}</pre>`}</td></tr>`;
}

function lines(texts: readonly string[]): Markup {
  return html`${texts.map((text, index) => (index === 0 ? html`${text}` : html`<br>${text}`))}`;
}

/** Formats a time of the queue's clock as a time of the wall clock. */
function time(moment: number, aheadOfWall: number): string {
  return new Date(moment - aheadOfWall).toISOString().replace("T", " ").replace("Z", "");
}

/** Formats an error as its stack, and returns anything else unchanged. */
function readable(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && "stack" in value && typeof value.stack === "string") {
      return value.stack;
    }
  } catch {
    // Truncated JSON is shown as text.
  }
  return json;
}

/** Compares the URLs of apps; one registers with the host name under which it was called, which may differ. */
function sameApp(a: string, b: string): boolean {
  const plain = (url: string) => url.replace("//127.0.0.1", "//localhost").split("?")[0];
  return plain(a) === plain(b);
}
