import { visit } from "./visit.ts";

/** A program of Bun: the destination is its argument, and it prints what it has seen. */
console.log(JSON.stringify(await visit(JSON.parse(process.argv[2] ?? ""))));
