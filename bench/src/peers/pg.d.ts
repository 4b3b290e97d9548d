/** The little of `pg` that the benchmark itself calls; the peers bring the driver without its types. */
declare module "pg" {
  type TypeParser = (value: string) => unknown;
  export const types: { getTypeParser(oid: number, format?: "text" | "binary"): TypeParser };
}
