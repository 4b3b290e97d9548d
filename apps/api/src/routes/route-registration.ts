import type { RouteConfig } from "@hono/zod-openapi";
import { asError } from "@synap/handlers/internal";
import { PROBLEM_CODES, type ProblemCode, type Scope } from "@synap/types/http";
import { camelName, didYouMean, zodReason } from "@synap/types/internal";
import { z } from "zod";
import type { ApiApp, ApiContext } from "../api-dependencies.ts";
import { readContentType } from "../body/read-body.ts";
import { SECURITY_SCHEME, SESSION_SCHEME } from "../identity/authentication.ts";
import type { Principal } from "../identity/principal.ts";
import { IDENTITY_PROBLEMS, requireScope } from "../identity/refusals.ts";
import { methodNotAllowed } from "../problems/not-found.ts";
import { Problem } from "../problems/problem.ts";
import { requestHead } from "../request-head.ts";
import { responseHeaders } from "../response-headers.ts";
import { checkPosition } from "./read-position.ts";

/** The definition of a route, with the scope that its callers need. With `any`, every caller who is identified may use it. */
export interface ApiRoute extends RouteConfig {
  readonly scope: Scope | "any";
}

/**
 * Registers a route for principals with its scope. Who a request is, is known before anything else of it is looked at.
 *
 * A route that may change something must define a body, and its requests must have that body's content type even without
 * a body: a form on a page of another site can send a POST, but not as JSON, and no DELETE.
 */
export function registerRoute(
  app: ApiApp,
  { scope, ...described }: ApiRoute,
  handle: (context: ApiContext, principal: Principal) => Response | Promise<Response>,
): void {
  const responses = joinResponses(described.responses, problemResponses(...IDENTITY_PROBLEMS));
  const scopes = scope === "any" ? [] : [scope];
  const security = [{ [SECURITY_SCHEME]: scopes }, { [SESSION_SCHEME]: scopes }];
  const route: RouteConfig = { ...described, responses, security };
  register(app, route, (context) => {
    const identified = context.get("authenticate")(requestHead(context));
    if (!(identified instanceof Promise)) return admit(context, identified);
    return identified.then((principal) => admit(context, principal));
  });

  function admit(context: ApiContext, principal: Principal): Response | Promise<Response> {
    context.set("principal", principal);
    context.get("limits")?.countRequest(principal);
    if (scope !== "any") requireScope(principal, scope);
    checkContentType(context, route);
    const checked = checkPosition(context);
    return checked === undefined
      ? handle(context, principal)
      : checked.then(() => handle(context, principal));
  }
}

/** Registers a route that anybody may call, and that knows nothing of who calls. */
export function registerOpenRoute(
  app: ApiApp,
  route: RouteConfig,
  handle: (context: ApiContext) => Response | Promise<Response>,
): void {
  register(app, { ...route, security: [] }, (context) => {
    checkContentType(context, route);
    return handle(context);
  });
}

const HAS_NO_BODY: ReadonlySet<string> = new Set(["get", "delete"]);

function checkContentType({ req }: ApiContext, { method, request }: RouteConfig): void {
  if (!HAS_NO_BODY.has(method)) readContentType(req.raw, Object.keys(request?.body?.content ?? {}));
}

/** Registers a route with Hono and the document. Not with `app.openapi`, which parses bodies before their size is checked. */
function register(
  app: ApiApp,
  route: RouteConfig,
  handle: (context: ApiContext) => Response | Promise<Response>,
): void {
  app.openAPIRegistry.registerPath(route);
  if (!HAS_NO_BODY.has(route.method) && Object.keys(route.request?.body?.content ?? {}).length === 0)
    throw new Error(`${route.method} ${route.path} has no body in its definition`);
  serve(app, route, handle);
}

/** Registers what browsers show, or load for that: it is open, and no operation of the document. */
export function registerPage(
  app: ApiApp,
  path: string,
  handle: (context: ApiContext) => Response | Promise<Response>,
): void {
  serve(app, { method: "get", path }, handle);
}

/** Registers a page for a person to answer, or the form of one, as {@link registerPage}; its problems are pages too. */
export function registerDialog(
  app: ApiApp,
  method: "get" | "post",
  path: string,
  handle: (context: ApiContext) => Response | Promise<Response>,
): void {
  serve(app, { method, path }, (context) => {
    context.set("isPage", true);
    return handle(context);
  });
}

function serve(
  app: ApiApp,
  { method, path }: Pick<RouteConfig, "method" | "path">,
  handle: (context: ApiContext) => Response | Promise<Response>,
): void {
  app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ":$1"), async (context: ApiContext) => {
    context.set("route", path);
    try {
      return await handle(context);
    } catch (thrown) {
      const methods = thrown instanceof PathParameterProblem ? methodsAt(app, context.req.path) : [];
      if (methods.length > 0) throw methodNotAllowed(context.req.method, methods);
      // Hono passes only Errors to its error handler, but an application's code may throw any value.
      throw thrown instanceof Problem ? thrown : asError(thrown);
    }
  });
}

/** Answers with a value as JSON. */
export function json(
  context: ApiContext,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): Response {
  return jsonText(context, status, JSON.stringify(value), headers);
}

/** Answers with JSON text. */
export function jsonText(
  context: ApiContext,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(text, {
    status,
    headers: responseHeaders(context.get("requestId"), { "content-type": "application/json", ...headers }),
  });
}

/**
 * Reads and checks the query parameters of a request. Their names may be in snake case.
 *
 * @throws Problem `parameter-unknown` naming every parameter that is not in the schema, `parameter-invalid`
 */
export function readQuery<Schema extends z.ZodObject>(context: ApiContext, schema: Schema): z.output<Schema> {
  const { url } = context.req;
  const start = url.indexOf("?");
  return readParameters(start < 0 ? [] : new URLSearchParams(url.slice(start)), schema);
}

type Parameters = Iterable<[name: string, value: string]>;

/** Checks the parameters of a query or a form, as {@link readQuery}. */
export function readParameters<Schema extends z.ZodObject>(given: Parameters, schema: Schema) {
  const named = inCamelCase(parametersOf(given), schema);
  const unknown = Object.keys(named).filter((name) => !Object.hasOwn(schema.shape, name));
  if (unknown.length > 0) throw unknownParameters(unknown, Object.keys(schema.shape));
  const parsed = schema.safeParse(named, { reportInput: true });
  if (!parsed.success) throw parameterProblem(parsed.error.issues);
  return parsed.data;
}

const noQuery = z.strictObject({});

/** Refuses query parameters, for a route that has none. @throws Problem `parameter-unknown` */
export function refuseQuery(context: ApiContext): void {
  readQuery(context, noQuery);
}

/** Reads the parameters; a repeated one becomes a list. Not with Hono's `queries()`, which can't hold one named `__proto__`. */
function parametersOf(parameters: Parameters): Record<string, string | string[]> {
  const given = new Map<string, string | string[]>();
  for (const [name, value] of parameters) {
    const earlier = given.get(name);
    given.set(name, earlier === undefined ? value : [earlier, value].flat());
  }
  return Object.fromEntries(given);
}

/** Renames the parameters of a schema that are in snake case. @throws Problem for one that is in both spellings */
function inCamelCase(
  given: Readonly<Record<string, string | string[]>>,
  schema: z.ZodObject,
): Readonly<Record<string, string | string[]>> {
  if (!Object.keys(given).some((name) => name.includes("_"))) return given;
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const renamed = camelName(name);
      if (Object.hasOwn(schema.shape, name) || !Object.hasOwn(schema.shape, renamed)) return [name, value];
      if (!Object.hasOwn(given, renamed)) return [renamed, value];
      const reason = `is given as "${renamed}" too`;
      throw new Problem("parameter-invalid", `"${name}" ${reason}.`, {
        errors: [{ path: name, code: "parameter-invalid", reason }],
      });
    }),
  );
}

/** Reads and checks a parameter of the path. @throws Problem `parameter-invalid` */
export function readPathParameter<Schema extends z.ZodType>(
  context: ApiContext,
  name: string,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(context.req.param(name), { reportInput: true });
  if (parsed.success) return parsed.data;
  const { message, errors } = parameterProblem(
    parsed.error.issues.map((issue) => ({ ...issue, path: [name] })),
  );
  throw new PathParameterProblem("parameter-invalid", message, { errors });
}

/** The problem of an invalid path parameter; 405 if the path exists for other methods. */
export class PathParameterProblem extends Problem {}

/** Finds the methods of the routes with exactly this path, because `events/batch` also matches the route of an event's id. */
function methodsAt(app: ApiApp, path: string): string[] {
  return app.routes
    .filter((route) => route.method !== "ALL" && route.path === path)
    .map(({ method }) => method);
}

function unknownParameters(unknown: readonly string[], known: readonly string[]): Problem {
  const names = unknown.slice(0, 20).map((name) => `"${name.slice(0, 64)}"${didYouMean(name, known)}`);
  const allowed = known.length === 0 ? "it has none" : `allowed: ${known.join(", ")}`;
  return new Problem("parameter-unknown", `Unknown parameter ${names.join(", ")}; ${allowed}.`, {
    errors: unknown.slice(0, 20).map((name) => ({
      path: name.slice(0, 64),
      code: "parameter-unknown",
      reason: "is not a parameter of this route",
    })),
  });
}

function parameterProblem(issues: readonly z.core.$ZodIssue[]): Problem {
  const errors = issues.map((issue) => ({
    path: String(issue.path[0] ?? ""),
    code: "parameter-invalid",
    reason: zodReason(issue),
  }));
  const detail = errors.map(({ path, reason }) => `"${path}" ${reason}`).join("; ");
  return new Problem("parameter-invalid", `${detail}.`, { errors });
}

type DescribedProblem = ProblemCode | readonly [code: ProblemCode, when: string];
/** Problem responses for the definition of a route, grouped by status and named in the description, some with when they apply. */
export function problemResponses(...problems: readonly DescribedProblem[]): RouteConfig["responses"] {
  const byStatus = new Map<number, string[]>();
  for (const problem of problems) {
    const [code, ...when] = typeof problem === "string" ? ([problem] as const) : problem;
    const { status, title } = PROBLEM_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${code}: ${[title, ...when].join(", ")}.`]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, lines]) => [
      status,
      {
        description: lines.join(" "),
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    ]),
  );
}

/** Joins the responses of a route with those that every route has, by status. */
function joinResponses(
  own: RouteConfig["responses"],
  common: RouteConfig["responses"],
): RouteConfig["responses"] {
  const joined = { ...own };
  for (const [status, response] of Object.entries(common)) {
    const described = [own[status], response].flatMap((each) =>
      each !== undefined && "description" in each ? [each.description] : [],
    );
    joined[status] = { ...response, description: described.join(" ") };
  }
  return joined;
}

/** A JSON response whose schema is the named component. */
export function jsonResponse(description: string, component: string): RouteConfig["responses"][number] {
  return {
    description,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${component}` } } },
  };
}

/** A JSON body with this schema, for the definition of a route. */
export function jsonBody(schema: z.ZodType) {
  return { required: true, content: { "application/json": { schema } } };
}
