/** How the book-keepers of the scheduler's laws complain. */

export function ensure(condition: boolean, law: string): asserts condition {
  if (!condition) throw new Error(`Broken law: ${law}`);
}
