import type { StoredApp } from "../queue/apps.ts";
import { type FunctionConfig, readFunctionConfig } from "./function-config.ts";

/** A registered app and its functions. */
export interface RegisteredApp extends StoredApp {
  readonly configs: readonly FunctionConfig[];
}

/** The registered apps and functions, and the functions that an event starts. */
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

  /** Brings back what an earlier process registered. What can't be read any more is left out until it registers again. */
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

  /** The name of the app that a function belongs to. */
  ownerOf(functionId: string): string | undefined {
    return this.apps().find(({ configs }) => configs.some(({ id }) => id === functionId))?.name;
  }

  get(functionId: string): FunctionConfig | undefined {
    return this.#functions.get(functionId);
  }

  all(): FunctionConfig[] {
    return [...this.#functions.values()];
  }

  /** The functions with a trigger for this event name, with those triggers. A function appears once. */
  triggeredBy(eventName: string): { config: FunctionConfig; expressions: (string | undefined)[] }[] {
    return this.all().flatMap((config) => {
      const matching = config.events.filter((trigger) => matchesName(trigger.event, eventName));
      return matching.length === 0
        ? []
        : [{ config, expressions: matching.map(({ expression }) => expression) }];
    });
  }
}

/** An exact name, or one that ends in `/*` or `.*` and stands for everything below it. */
function matchesName(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  return /[/.]\*$/.test(pattern) && name.startsWith(pattern.slice(0, -1)) && name.length >= pattern.length;
}
