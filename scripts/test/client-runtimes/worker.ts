import { type Visit, visit } from "./visit.ts";

/** A worker: the destination is the body of the request, and it answers what it has seen. */
export default {
  async fetch(request: Request): Promise<Response> {
    const seen: Visit = await visit(JSON.parse(await request.text()));
    return Response.json(seen);
  },
};
