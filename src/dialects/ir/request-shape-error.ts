/** The error of readers of requests: which member is wrong, and how. */

/** A request body that breaks a rule of its API. Becomes a 400 in the caller's dialect. */
export class RequestShapeError extends Error {
  override readonly name = 'RequestShapeError';
  /** Path of the member, like `messages[3].content[0].type`. */
  readonly field: string;

  /** `message`: a sentence about the field that does not repeat its path. */
  constructor(field: string, message: string) {
    super(`${field}: ${message}`);
    this.field = field;
  }
}
