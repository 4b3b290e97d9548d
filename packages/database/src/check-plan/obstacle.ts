/** Thrown for a part of a schema that the database can't check. The message says which and why. */
export class Obstacle extends Error {
  override readonly name = "Obstacle";
  /** The path of the part in the data; empty for the data itself. */
  readonly at: string;

  constructor(message: string, at = "") {
    super(message);
    this.at = at;
  }
}
