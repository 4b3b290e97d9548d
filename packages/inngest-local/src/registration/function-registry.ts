import type { StoredApp } from "../queue/apps.ts";
import { type FunctionConfig, readFunctionConfig } from "./function-config.ts";

/** A registered app and its functions. */
export interface RegisteredApp extends StoredApp {
  readonly configs: readonly FunctionConfig[];
}

/** Registered apps and functions. */
export class FunctionRegistry {
  readonly #apps = new Map<string, RegisteredApp>();
  #functions = new Map<string, FunctionConfig>();

  /** Replaces an app's functions. */
  set(app: RegisteredApp): void {
    this.#apps.set(app.name, app);
    this.#functions = new Map(
      [...this.#apps.values()].flatMap(({ configs }) => configs).map((fn) => [fn.id, fn]),
    );
  }

  /** Restores stored registrations. A function that is no longer valid is left out until it is registered again. */
  restore(stored: readonly StoredApp[]): void {
    for (const app of stored) {
      const raw: unknown = JSON.parse(app.functions);
      const configs = (Array.isArray(raw) ? raw : []).flatMap((fn) => readFunctionConfig(fn).config ?? []);
      this.set({ ...app, configs });
    }
  }

  app(name: string): RegisteredApp | undefined {
    return this.#apps.get(name);
  }

  apps(): RegisteredApp[] {
    return [...this.#apps.values()];
  }

  /** Returns the name of the app that a function belongs to. */
  ownerOf(functionId: string): string | undefined {
    return this.apps().find(({ configs }) => configs.some(({ id }) => id === functionId))?.name;
  }

  get(functionId: string): FunctionConfig | undefined {
    return this.#functions.get(functionId);
  }

  all(): FunctionConfig[] {
    return [...this.#functions.values()];
  }

  /** Returns each function that an event name triggers, once, with the conditions of the matching triggers. */
  triggeredBy(eventName: string): { config: FunctionConfig; expressions: (string | undefined)[] }[] {
    return this.all().flatMap((config) => {
      const matching = config.events.filter((trigger) => matchesName(trigger.event, eventName));
      return matching.length === 0
        ? []
        : [{ config, expressions: matching.map(({ expression }) => expression) }];
    });
  }
}

/** Matches an exact name, or a pattern that ends in `/*` or `.*`. */
function matchesName(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  return /[/.]\*$/.test(pattern) && name.startsWith(pattern.slice(0, -1)) && name.length >= pattern.length;
}
