import autocannon from "autocannon";

/** Content and rate of the load. */
export interface LoadPlan {
  /** The whole address; without a path if each request has its own. */
  readonly url: string;
  /** Makes the path of the next request. */
  readonly path?: (() => string) | undefined;
  /** The bodies, sent in turn. */
  readonly bodies: readonly string[];
  /** Each sends its next request when the last one is answered. */
  readonly connections: number;
  readonly seconds: number;
}

/** Result of a load. */
export interface LoadResult {
  readonly seconds: number;
  /** Number of responses of any status, and of those that were not 2xx or never came. */
  readonly responses: number;
  readonly failures: number;
  /** Time to each response, in milliseconds. */
  readonly latencies: readonly number[];
  /** The body of each response. */
  readonly answered: readonly string[];
}

/** Posts JSON over a fixed number of connections for a while. */
export async function load(plan: LoadPlan): Promise<LoadResult> {
  const latencies: number[] = [];
  const answered: string[] = [];
  const { path } = plan;
  const ownPath = path && { setupRequest: (request: autocannon.Request) => ({ ...request, path: path() }) };
  const options: autocannon.Options = {
    url: plan.url,
    method: "POST",
    headers: { "content-type": "application/json" },
    requests: plan.bodies.map((body) => ({ body, ...ownPath })),
    connections: plan.connections,
    duration: plan.seconds,
    sampleInt: 50,
    // Its own histogram counts whole milliseconds, too coarse for one connection.
    skipAggregateResult: true,
    verifyBody: (body) => {
      answered.push(String(body));
      return true;
    },
  };
  const { duration, errors, timeouts, non2xx } = await new Promise<autocannon.Result>((resolve, reject) => {
    autocannon(options, (error, result) => (result === undefined ? reject(error) : resolve(result))).on(
      "response",
      (_client, _status, _bytes, milliseconds) => latencies.push(milliseconds),
    );
  });
  return {
    seconds: duration,
    responses: latencies.length,
    failures: errors + timeouts + non2xx,
    latencies,
    answered,
  };
}
