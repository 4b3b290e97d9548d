import { describe, expect, it } from "vitest";
import { refuseControl, refuseScriptControl, TransactionControlError } from "./transaction-control.ts";

describe("a statement that controls the transaction", () => {
  it.each([
    "COMMIT",
    " \n\tcommit ",
    "-- no\nCOMMIT",
    "/* a /* nested */ one */ COMMIT AND CHAIN",
    "/**/commit/**/work",
    "ROLLBACK",
    "ROLLBACK TO SAVEPOINT synap_1",
    "ABORT",
    "END",
    "BEGIN",
    "START TRANSACTION",
    "SAVEPOINT a",
    "RELEASE a",
    "PREPARE /* x */ TRANSACTION 'a'",
    ";;COMMIT",
  ])("is refused alone and in a script: %s", (statement) => {
    expect(() => refuseControl(statement)).toThrow(TransactionControlError);
    for (const script of [
      statement,
      `SELECT 1; ${statement}`,
      `SELECT 'a;''b'; ${statement}; SELECT 2`,
      `SELECT 'a\\'; ${statement}; --'`,
      `SELECT E'a\\'' ; ${statement}`,
      `SELECT e'a'\n'b\\''; ${statement}`,
      `SELECT $$ ' $$; ${statement}`,
      `SELECT $a$ $$ ; $b$ $a$; ${statement}`,
      `SELECT a$b$c FROM t; ${statement}; SELECT $b$`,
      `SELECT "a;'"; ${statement}`,
      `SELECT 1 -- '\n; ${statement}`,
      `SELECT 1 /* ' /* */ ; */; ${statement}`,
      `SELECT $1; ${statement}`,
      `CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; ${statement}`,
    ]) {
      expect(() => refuseScriptControl(script), script).toThrow(
        expect.objectContaining({ code: "TRANSACTION_CONTROL", statement: expect.stringMatching(/^[A-Z]/) }),
      );
    }
  });

  it.each([
    "SELECT 'COMMIT'",
    "SELECT 1; -- ; COMMIT",
    "SELECT 1 /* ; COMMIT */; SELECT 2",
    "SELECT ';COMMIT;'; SELECT 1",
    "SELECT E'\\';COMMIT;'",
    "SELECT E'a'\n'\\';COMMIT;'",
    'SELECT ";COMMIT;" FROM t',
    "DO $$ BEGIN PERFORM 1; END $$",
    "DO $a$ BEGIN PERFORM $$; COMMIT $$; END $a$",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 1",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "SET TRANSACTION READ ONLY; SET LOCAL TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;",
    "SET LOCAL lock_timeout = 1; PREPARE a AS SELECT 1; EXECUTE a",
    "SELECT CASE WHEN true THEN 1 END; SELECT 1",
    "CREATE TEMPORARY TABLE t (begin int) ON COMMIT DROP",
    "SELECT start FROM t; SELECT release FROM t",
    "",
  ])("is not found where there is none: %s", (script) => {
    expect(() => refuseScriptControl(script)).not.toThrow();
    expect(() => refuseControl(script)).not.toThrow();
  });
});
