import { openDatabase } from "@synap/database";

// Arguments: the URL of a server. Prints what a session answers after a statement failed that had sent rows: drivers have
// begun that answer with as many rows that nobody asked for.
const [url = ""] = process.argv.slice(2);
const database = await openDatabase({ url });
const responses = await database.transaction(async (transaction) => {
  const failing = transaction.savepoint((inner) =>
    inner.query("SELECT i, repeat('x', 2000) AS x, 1 / (50 - i) AS y FROM generate_series(1, 100) AS i"),
  );
  const reason = await failing.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
  const code = typeof reason === "object" && reason !== null && "code" in reason ? reason.code : reason;
  return { code, next: await transaction.query("SELECT 1 AS one") };
});
console.log(JSON.stringify(responses));
await database.close();
