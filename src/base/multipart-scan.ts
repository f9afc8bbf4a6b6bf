/**
 * Finds small form fields in a multipart/form-data body without copying its files. Bounded in parts, head and value
 * sizes; binary contents are skipped by searching for the delimiter only.
 */

export interface MultipartField {
  readonly name: string;
  readonly value: string;
  /** The value's bytes are [start, end). */
  readonly start: number;
  readonly end: number;
}

const partsMax = 1_000;
const partHeadBytesMax = 16 * 1024;
const dash = 0x2d;
const headEnd = Buffer.from('\r\n\r\n');

const boundaryPattern = /;\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/gi;

/** The `boundary` of a content type; undefined = it is not multipart/form-data, or has none or several. */
export function multipartBoundary(contentType: string): string | undefined {
  if (!/^\s*multipart\/form-data\s*;/i.test(contentType)) return undefined;
  const [found, ...others] = contentType.matchAll(boundaryPattern);
  return others.length > 0 ? undefined : (found?.[1] ?? found?.[2]);
}

/**
 * The fields of the wanted names, files aside, values above `valueBytesMax` aside. undefined = the body has not the form
 * that its boundary promises, or two readers could take different values from it.
 */
export function scanMultipart(
  body: Buffer,
  boundary: string,
  options: { readonly names: ReadonlySet<string>; readonly valueBytesMax: number },
): Map<string, MultipartField> | undefined {
  const { names, valueBytesMax } = options;
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const fields = new Map<string, MultipartField>();
  let at = body.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2))
    ? -2
    : findDelimiter(body, delimiter, 0);
  for (let parts = 0; at !== -1 && parts < partsMax; parts += 1) {
    const lineStart = at + delimiter.length;
    if (body[lineStart] === dash) return fields;
    const headStart = body.indexOf('\r\n', lineStart);
    // From its own line end on, so that a part without headers has an end of head too.
    const head = body.subarray(headStart, headStart + partHeadBytesMax);
    const length = head.indexOf(headEnd);
    if (length === -1) return undefined;
    const start = headStart + length + headEnd.length;
    const end = findDelimiter(body, delimiter, start);
    if (end === -1) return undefined;
    const [name, ...others] = fieldNames(head.toString('latin1', 0, length));
    if (others.length > 0) return undefined;
    if (name !== undefined && names.has(name) && end - start <= valueBytesMax) {
      const value = body.toString('utf8', start, end);
      if (fields.has(name) && fields.get(name)?.value !== value) return undefined;
      fields.set(name, { name, value, start, end });
    }
    at = end;
  }
  return undefined;
}

/** Where the next delimiter begins, its line end included; -1 = nowhere. A longer word that begins like it is contents. */
function findDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  let at = body.indexOf(delimiter, from);
  while (at !== -1) {
    let after = at + delimiter.length;
    if (body[after] === dash && body[after + 1] === dash) return at;
    while (body[after] === 0x20 || body[after] === 0x09) after += 1;
    if (body[after] === 0x0d && body[after + 1] === 0x0a) return at;
    at = body.indexOf(delimiter, at + 1);
  }
  return -1;
}

/** The names in a part's content-disposition: one, none for a file, several where readers could take another one. */
function fieldNames(head: string): string[] {
  const disposition = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/im.exec(head)?.[1];
  if (disposition === undefined || /;[ \t]*filename\*?=/i.test(disposition)) return [];
  return Array.from(
    disposition.matchAll(/;[ \t]*name\*?=(?:"([^"]*)"|([^\s;"]+))/gi),
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
}
