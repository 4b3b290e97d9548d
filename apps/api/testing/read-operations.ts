/** One operation of the OpenAPI document. */
export interface ApiOperation {
  readonly name: string;
  readonly method: string;
  /** With `1` in place of each parameter. */
  readonly path: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly statuses: readonly string[];
}

interface Described {
  readonly operationId: string;
  readonly security: ApiOperation["security"];
  readonly responses: object;
}

/** Reads the operations of an API from its document. */
export async function readOperations(url: string): Promise<ApiOperation[]> {
  const { paths } = JSON.parse(await (await fetch(`${url}/openapi.json`)).text());
  return Object.entries<Record<string, Described>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, responses }]) => ({
      name: operationId,
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, "1"),
      security,
      statuses: Object.keys(responses),
    })),
  );
}
