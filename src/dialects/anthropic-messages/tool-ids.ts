/**
 * Ids of tool calls as the Messages API allows them. Engines and other APIs make ids with dots, colons and blanks
 * (`functions.search:0`), so these are written in an alphabet that passes, and read back to what they were.
 */

const allowed = /^[a-zA-Z0-9_-]+$/;
/** Begins every id that stands for another. */
const mark = 'toolu_x_';

/** Ids that the API allows stay as they are. */
export function writeToolId(id: string): string {
  return allowed.test(id) && !id.startsWith(mark) ? id : mark + Buffer.from(id).toString('base64url');
}

/** The id that `writeToolId` was given; any other text stays as it is. */
export function readToolId(id: string): string {
  if (!id.startsWith(mark)) return id;
  const original = Buffer.from(id.slice(mark.length), 'base64url').toString();
  return original !== '' && writeToolId(original) === id ? original : id;
}
