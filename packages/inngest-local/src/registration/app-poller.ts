import type { AppClient } from "../http/app-client.ts";
import type { Logger } from "../options.ts";
import type { RefusalLog } from "./refusal-log.ts";

/** Registration state of an app: not answered yet, registered, or refused. */
export type AppState =
  | { readonly state: "waiting" }
  | { readonly state: "registered" }
  | { readonly state: "refused"; readonly reason: string };

interface PolledApp {
  readonly url: string;
  state: AppState;
  timer: NodeJS.Timeout | undefined;
  asking: boolean;
}

/** Asks apps to register: often until they have, then rarely, so that the functions of a restarted app become known. */
export class AppPoller {
  readonly #client: AppClient;
  readonly #logger: Logger;
  readonly #intervals: { readonly waiting: number; readonly registered: number };
  readonly #apps: PolledApp[];
  readonly #refusals: RefusalLog;
  readonly #onChange: () => void;
  #stopped = false;

  constructor(
    urls: readonly string[],
    client: AppClient,
    intervals: { waiting: number; registered: number },
    logger: Logger,
    refusals: RefusalLog,
    onChange: () => void,
  ) {
    this.#client = client;
    this.#logger = logger;
    this.#intervals = intervals;
    this.#refusals = refusals;
    this.#onChange = onChange;
    this.#apps = urls.map((url) => ({ url, state: { state: "waiting" }, timer: undefined, asking: false }));
  }

  start(): void {
    for (const app of this.#apps) void this.#ask(app);
  }

  stop(): void {
    this.#stopped = true;
    for (const app of this.#apps) clearTimeout(app.timer);
  }

  states(): { readonly url: string; readonly state: AppState }[] {
    return this.#apps.map(({ url, state }) => ({ url, state }));
  }

  /** Asks the app at this URL again soon, because it may have been replaced. */
  askAgain(url: string): void {
    const origin = new URL(url).origin;
    for (const app of this.#apps) {
      if (app.asking || new URL(app.url).origin !== origin) continue;
      clearTimeout(app.timer);
      app.timer = setTimeout(() => void this.#ask(app), this.#intervals.waiting);
    }
  }

  async #ask(app: PolledApp): Promise<void> {
    app.asking = true;
    const state = await this.#register(app.url);
    app.asking = false;
    if (this.#stopped) return;
    const changed = JSON.stringify(state) !== JSON.stringify(app.state);
    // A briefly unavailable app stays registered, so that events still start its functions.
    if (changed && !(state.state === "waiting" && app.state.state === "registered")) {
      app.state = state;
      if (state.state === "refused")
        this.#logger.error({ url: app.url }, `registration refused: ${state.reason}`);
      if (state.state === "registered") this.#logger.info({ url: app.url }, "app registered");
      this.#onChange();
    }
    const wait = state.state === "registered" ? this.#intervals.registered : this.#intervals.waiting;
    app.timer = setTimeout(() => void this.#ask(app), wait);
  }

  async #register(url: string): Promise<AppState> {
    const mark = this.#refusals.mark();
    try {
      const headers = { "content-type": "application/json", "user-agent": "Inngest" };
      const response = await this.#client.send("PUT", url, headers, JSON.stringify({ url }));
      if (response.status === 200 && response.isAuthentic) return { state: "registered" };
      const reason = this.#refusals.since(mark);
      // Without a refusal of ours the app isn't served there yet, or could not reach us: that may change.
      return reason === undefined ? { state: "waiting" } : { state: "refused", reason };
    } catch {
      return { state: "waiting" };
    }
  }
}
