/** Thrown when a sink to Redis can't be run: the package is missing, or the server may lose what is written to it. */
export class RedisSinkError extends Error {
  override readonly name = "RedisSinkError";
  readonly code = "REDIS_SINK";
  readonly sink: string;

  constructor(sink: string, fault: string, options?: ErrorOptions) {
    super(`The sink "${sink}" can't write to Redis: ${fault}`, options);
    this.sink = sink;
  }
}
