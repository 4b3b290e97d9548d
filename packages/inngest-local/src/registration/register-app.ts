import { z } from "zod";
import { saveApp } from "../queue/apps.ts";
import { findTextFault, type QueueSession } from "../queue/database.ts";
import { readFunctionConfig } from "./function-config.ts";
import type { FunctionRegistry } from "./function-registry.ts";

const registrationSchema = z.looseObject({
  url: z.url({ protocol: /^https?$/ }),
  appName: z.string().default(""),
  sdk: z.string().default("unknown"),
  functions: z.array(z.unknown()),
});

/** Result of a registration. */
export type RegistrationOutcome =
  | {
      readonly registered: true;
      readonly modified: boolean;
      readonly appName: string;
      readonly functions: number;
      /** The previous URL of an app that has moved. */
      readonly movedFrom?: string;
      /** Ids of functions that the app no longer has. */
      readonly dropped: readonly string[];
    }
  | { readonly registered: false; readonly reason: string };

/**
 * Registers an app's functions in place of its earlier ones. When one of them is invalid none is registered, and
 * the earlier registration stays.
 */
export async function registerApp(
  session: QueueSession,
  registry: FunctionRegistry,
  body: unknown,
  now: number,
): Promise<RegistrationOutcome> {
  const parsed = registrationSchema.safeParse(body);
  if (!parsed.success) return { registered: false, reason: "The body is not a registration" };
  const { url, appName, sdk, functions } = parsed.data;
  if (appName === "") return { registered: false, reason: "App ID required" };
  const fault = findTextFault(`${appName} ${sdk}`);
  if (fault !== undefined) {
    return { registered: false, reason: `The app's id and its sdk must not contain ${fault}` };
  }
  const readings = functions.map(readFunctionConfig);
  const configs = readings.flatMap(({ config }) => config ?? []);
  const problems = [
    ...readings.flatMap((reading) => reading.problems ?? []),
    ...configs.flatMap((config) => ownershipProblem(registry, appName, config.id) ?? []),
  ];
  if (problems.length > 0) return { registered: false, reason: problems.join("; ") };
  const app = { name: appName, url, sdk, functions: JSON.stringify(functions), registeredAt: now };
  const known = registry.app(appName);
  const modified = known?.functions !== app.functions || known.url !== url || known.sdk !== sdk;
  if (modified) {
    await saveApp(session, app);
    registry.set({ ...app, configs });
  }
  return {
    registered: true,
    modified,
    appName,
    functions: functions.length,
    ...(known === undefined || known.url === url ? {} : { movedFrom: known.url }),
    dropped: (known?.configs ?? []).map(({ id }) => id).filter((id) => !configs.some((fn) => fn.id === id)),
  };
}

/** Checks that the id begins with the app's and belongs to no other app, so that no app replaces another's function. */
function ownershipProblem(registry: FunctionRegistry, appName: string, id: string): string | undefined {
  if (!id.startsWith(`${appName}-`)) return `function "${id}": its id does not begin with "${appName}-"`;
  const owner = registry.ownerOf(id);
  return owner === undefined || owner === appName
    ? undefined
    : `function "${id}": the app "${owner}" has registered it`;
}
