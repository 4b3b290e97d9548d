/**
 * The position that the reads of one user must not fall behind: the highest one that the user has written or seen. A read with a point
 * sees everything up to it, and then raises it, so that later reads see everything that this one saw.
 */
export interface ReadPoint {
  position: number;
}

/** An option of reads that a replica may answer. */
export interface AtPoint {
  /** The read sees everything up to this point, and raises it. */
  readonly point?: ReadPoint | undefined;
  /** The read sees everything up to this position too, to which it does not raise the point: there may be no such position yet. */
  readonly minPosition?: number | undefined;
}

/** The position up to which a read sees everything. @throws RangeError when `minPosition` is no position */
export function neededPosition({ point, minPosition = 0 }: AtPoint): number {
  checkPosition(minPosition);
  return Math.max(point?.position ?? 0, minPosition);
}

/** Raises a point; a lower position leaves it as it is. @throws RangeError when it is no position */
export function raisePoint(point: ReadPoint, position: number | undefined): void {
  if (position === undefined) return;
  checkPosition(position);
  if (position > point.position) point.position = position;
}

/** Checks that a number, if there is one, is a position. @throws RangeError */
export function checkPosition(position = 0): void {
  if (!(Number.isSafeInteger(position) && position >= 0)) {
    throw new RangeError(`A position is a whole number from 0, not ${position}.`);
  }
}
