/** Maximum compared length. Names are compared without case and separators: "NoteCreated" is near "note.created". */
const MAX_LENGTH = 64;
const MAX_MATCHES = 3;

/**
 * Finds the known names that are nearly this one, the nearest first, at most three, for messages about an unknown name.
 */
export function nearMatches(name: string, known: Iterable<string>): string[] {
  const wanted = plain(name);
  if (wanted === "") return [];
  const tolerance = Math.max(1, Math.floor(wanted.length / 4));
  const found: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of known) {
    const distance = distanceWithin(wanted, plain(candidate), tolerance);
    if (distance !== undefined) found.push({ candidate, distance });
  }
  return found
    .sort((one, other) => one.distance - other.distance)
    .slice(0, MAX_MATCHES)
    .map(({ candidate }) => candidate);
}

/** Formats a suggestion to follow an unknown name in a message: ` (did you mean "note.created"?)`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const quoted = nearMatches(name, known).map((each) => `"${each}"`);
  const last = quoted.pop();
  if (last === undefined) return "";
  return ` (did you mean ${quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`}?)`;
}

function plain(name: string): string {
  return name
    .slice(0, MAX_LENGTH)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/**
 * Edit distance between two texts (characters inserted, deleted, replaced, or swapped with a neighbour); undefined when
 * it exceeds `limit`. Stops there, so that a name that resembles no other costs next to nothing.
 */
function distanceWithin(one: string, other: string, limit: number): number | undefined {
  if (Math.abs(one.length - other.length) > limit) return undefined;
  let before: number[] = [];
  let previous = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped && row > 1 && column > 1 ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    if (Math.min(...current) > limit) return undefined;
    before = previous;
    previous = current;
  }
  const distance = previous[other.length] ?? 0;
  return distance > limit ? undefined : distance;
}
