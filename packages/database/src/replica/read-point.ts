/**
 * The position that the reads of one user must not fall behind: the highest one that the user has written or seen. A read with a point
 * sees everything up to it, and then raises it, so that later reads see everything that this one saw.
 */
export interface ReadPoint {
  position: number;
}

/** Raises a point; a lower position leaves it as it is. @throws RangeError when it is no position */
export function raisePoint(point: ReadPoint, position: number | undefined): void {
  if (position === undefined) return;
  if (!(Number.isSafeInteger(position) && position >= 0)) {
    throw new RangeError(`A position is a whole number from 0, not ${position}.`);
  }
  if (position > point.position) point.position = position;
}
