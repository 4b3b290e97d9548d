/**
 * How values travel between postgres.js and PostgreSQL. JSON goes as text that is JSON already (the driver's own way
 * writes a string again as JSON, and so does drizzle); int8 comes as a number, which our positions fit into.
 */
export const wireTypes = {
  int8: { to: 20, from: [20], serialize: String, parse: Number },
  json: { to: 114, from: [114], serialize: String, parse: parseJson },
  jsonb: { to: 3802, from: [3802], serialize: String, parse: parseJson },
  timestamptz: { to: 1184, from: [1184], serialize: writeMoment, parse: readMoment },
};

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

function writeMoment(moment: Date | string): string {
  return typeof moment === "string" ? moment : moment.toISOString();
}

function readMoment(text: string): Date {
  return new Date(text);
}
