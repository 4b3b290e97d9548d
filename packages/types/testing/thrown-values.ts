const trap = () => {
  throw new Error("a trap");
};
const everyTrap = {
  get: trap,
  has: trap,
  getPrototypeOf: trap,
  ownKeys: trap,
  getOwnPropertyDescriptor: trap,
};
const cyclic = new Error("goes round");
cyclic.cause = cyclic;
const broken = (properties: PropertyDescriptorMap) =>
  Object.defineProperties(new Error("broken"), properties);

function chain(length: number): Error {
  let error = new Error("the first");
  for (let index = 1; index < length; index += 1) error = new Error(`the ${index}th`, { cause: error });
  return error;
}

/** Each level holds the next a hundred times: written out, it has 10^16 errors. */
function bush(depth: number): Error {
  const inside = depth === 0 ? new Error("a leaf") : bush(depth - 1);
  return new AggregateError(
    Array.from({ length: 100 }, () => inside),
    "a bush",
  );
}

/** Costs memory once, however often it is thrown. */
const LONG = "x".repeat(200_000_000);

function everySecondTime() {
  let count = 0;
  return () => {
    count += 1;
    return count % 2 === 0 ? trap() : "a stack";
  };
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable(new Error("inside"), {});
  revoke();
  return proxy;
}

/** Values that an application's code may throw, by their defect. */
export const thrownValues: Readonly<Record<string, unknown>> = {
  "an error": new RangeError("no"),
  undefined: undefined,
  null: null,
  "a symbol": Symbol("s"),
  "a function": () => "no",
  "an empty text": "",
  "an object without a prototype": Object.create(null),
  "NUL in the code": Object.assign(new Error("x"), { code: "E\0" }),
  "NUL in the name": Object.assign(new Error("x"), { name: "N\0" }),
  "NUL and half a surrogate pair in the message": new Error("a\0\ud800"),
  "half a surrogate pair where a long message is cut": new Error(`${"x".repeat(9_998)}😀${"x".repeat(99)}`),
  "a message of a megabyte": new Error("x".repeat(1024 * 1024)),
  "a message that is no text": broken({ message: { value: { a: 1n } } }),
  "a code that is no text": broken({ code: { value: Symbol("c"), enumerable: true } }),
  "a message whose getter throws": broken({ message: { get: trap } }),
  "a code whose getter throws": broken({ code: { get: trap, enumerable: true } }),
  "a cause whose getter throws": broken({ cause: { get: trap } }),
  "errors that are a Proxy": broken({ errors: { value: new Proxy([], everyTrap) } }),
  "a cyclic cause": cyclic,
  "a frozen error": Object.freeze(new Error("frozen")),
  "a Proxy of an error": new Proxy(new Error("inside"), everyTrap),
  "several errors": new AggregateError([new Error("one"), undefined, new Proxy({}, everyTrap)]),
  "a stack whose getter throws": broken({ stack: { get: trap } }),
  "a stack whose getter throws the second time": broken({ stack: { get: everySecondTime() } }),
  "a stack of 200 MB": broken({ stack: { value: LONG } }),
  "a message of 200 MB": broken({ message: { value: LONG } }),
  "a cause with a message of 200 MB": new Error("x", { cause: broken({ message: { value: LONG } }) }),
  "two errors of 400 MB": new AggregateError([broken({ message: { value: LONG } }), LONG], LONG),
  "a constructor whose getter throws": broken({ constructor: { get: trap } }),
  "a cause that is a function": broken({ cause: { value: trap } }),
  "10,000 causes": chain(10_000),
  "10^16 errors": bush(8),
  "a toJSON that throws": broken({ toJSON: { value: trap } }),
  "a toString and a Symbol.toPrimitive that throw": broken({
    toString: { value: trap },
    [Symbol.toPrimitive]: { value: trap },
  }),
  "details whose toJSON throws": broken({ details: { value: { toJSON: trap }, enumerable: true } }),
  "details that are a Proxy": broken({ details: { value: new Proxy({}, everyTrap), enumerable: true } }),
  "an object whose toJSON throws": { toJSON: trap, toString: trap, [Symbol.toPrimitive]: trap },
  "an array of four thousand million members": new Array(2 ** 32 - 1),
  "a bigint of a million digits": 10n ** 1_000_000n,
  "a revoked Proxy": revokedProxy(),
  "a cause that is a Proxy": new Error("x", { cause: new Proxy({}, everyTrap) }),
};
