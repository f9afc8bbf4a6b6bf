/** Text of others as the value of a header: what no header can hold is escaped as in a URL. Knows no header by name. */

/** Names that are told one by one, and characters of each. */
const namesMax = 32;
const nameCharsMax = 64;

/** Every character that is not printable ASCII becomes `%XX`, byte by byte of its UTF-8. */
export function headerText(text: string): string {
  return text.toWellFormed().replaceAll(/[^\x20-\x7e]+/g, encodeURIComponent);
}

/** A list with commas between; long names are cut, and beyond some there is only their number. */
export function headerList(names: readonly string[]): string {
  const told = names.slice(0, namesMax).map(listName);
  if (names.length > namesMax) told.push(`and ${names.length - namesMax} more`);
  return told.join(', ');
}

function listName(name: string): string {
  return headerText(name.slice(0, nameCharsMax)).replaceAll(/[ ,]/g, encodeURIComponent);
}
