const VOCABULARY =
  "the pump was shipped to another site because its seal leaked after two weeks and somebody asked for a new date before noon".split(
    " ",
  );

/**
 * Text of exactly `length` characters (ASCII, so bytes too), the same for the same seed. It compresses about as well
 * as ordinary sentences do: one sentence repeated would flatter TimescaleDB's compression.
 */
export function words(seed: number, length: number): string {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ length) >>> 0;
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    // A number now and then, as people write them: vocabulary alone would leave too little to store.
    text += state % 12 === 0 ? `${state.toString(36)} ` : `${VOCABULARY[state % VOCABULARY.length]} `;
  }
  return `${text.slice(0, length - 1)}.`;
}
