import { types } from "pg";

const JSON_OIDS = new Set([114, 3802]);
const INT8 = 20;

/** The driver's own parsers: Emmett, in the same process, replaces those of all connections by slower ones. */
export const plainTypes: { readonly getTypeParser: typeof types.getTypeParser } = {
  getTypeParser: (oid: number, format?: "text" | "binary") => {
    if (JSON_OIDS.has(oid)) return (value: string) => JSON.parse(value);
    if (oid === INT8) return String;
    return types.getTypeParser(oid, format);
  },
};
