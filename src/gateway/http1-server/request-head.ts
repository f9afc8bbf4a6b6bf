/**
 * Reads the head of a plain request: one that leaves nothing to interpret. Whatever else HTTP allows, and whatever it
 * forbids, is not judged here but left to node:http. Knows nothing of sockets and bodies.
 */

export interface PlainHead {
  readonly method: 'GET' | 'POST';
  /** The request target in origin form, nothing decoded. */
  readonly url: string;
  /** Names and values alternating, names in their original case, values trimmed. */
  readonly rawHeaders: readonly string[];
  readonly bodyBytes: number;
  /** The client wants the connection closed after the answer. */
  readonly closes: boolean;
}

const requestLinePattern = /^(GET|POST) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
/** All lines at once, each with the line end before it. A folded line begins with white space, so it has no valid name. */
const fieldsPattern = /^(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;
const lengthPattern = /^[0-9]{1,15}$/;
/** As many as node:http keeps. */
const headersMax = 1000;

/** Other forms of a message, or an exchange that is more than one request and one answer. */
const unusual: ReadonlySet<string> = new Set(['transfer-encoding', 'te', 'trailer', 'upgrade', 'expect']);

/**
 * @param text the head decoded as latin1, from the request line up to and without the empty line.
 * @returns undefined for everything but: HTTP/1.1, one Host, a POST with one Content-Length or a GET without, well-formed
 * headers, and a Connection header that says keep-alive or close, if there is one.
 */
export function tryParsePlainHead(text: string): PlainHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd === -1) return undefined;
  const line = requestLinePattern.exec(text.slice(0, lineEnd));
  if (line === null || !fieldsPattern.test(text.slice(lineEnd))) return undefined;
  const rawHeaders: string[] = [];
  const facts: Facts = { hosts: 0, length: undefined, closes: false };
  let start = lineEnd + 2;
  while (start < text.length) {
    const found = text.indexOf('\r\n', start);
    const end = found === -1 ? text.length : found;
    if (!readField(text.slice(start, end), rawHeaders, facts)) return undefined;
    start = end + 2;
  }
  const { length, closes, hosts } = facts;
  const isGet = line[1] === 'GET';
  if (hosts !== 1 || isGet !== (length === undefined) || rawHeaders.length > 2 * headersMax) return undefined;
  return {
    method: isGet ? 'GET' : 'POST',
    url: line[2] ?? '/',
    rawHeaders,
    bodyBytes: length ?? 0,
    closes,
  };
}

interface Facts {
  hosts: number;
  length: number | undefined;
  closes: boolean;
}

/** Returns whether the line, which is well-formed, is a header of a plain request. */
function readField(line: string, rawHeaders: string[], facts: Facts): boolean {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  const value = trimBlanks(line, colon + 1);
  rawHeaders.push(name, value);
  // Only names as long as these need a closer look.
  switch (name.length) {
    case 2:
    case 6:
    case 7:
    case 17:
      return !unusual.has(name.toLowerCase());
    case 4:
      if (name.toLowerCase() === 'host') facts.hosts += 1;
      return true;
    case 10:
      return name.toLowerCase() !== 'connection' || readConnection(value, facts);
    case 14:
      return name.toLowerCase() !== 'content-length' || readLength(value, facts);
    default:
      return true;
  }
}

/** The rest of a line without blanks and tabs around it; `trim` would also hide control characters. */
function trimBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start += 1;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function readConnection(value: string, facts: Facts): boolean {
  const lower = value.toLowerCase();
  if (lower === 'close') facts.closes = true;
  return lower === 'close' || lower === 'keep-alive';
}

function readLength(value: string, facts: Facts): boolean {
  if (facts.length !== undefined || !lengthPattern.test(value)) return false;
  facts.length = Number(value);
  return true;
}
