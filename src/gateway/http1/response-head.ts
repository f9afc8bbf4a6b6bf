/**
 * Reads the head of an HTTP/1 response, strictly: whatever two readers could understand differently (two lengths, a
 * folded line, an unknown transfer coding) is a fault, never a guess. Knows nothing of sockets and bodies.
 */

/** none: no body follows. length: exactly `length` bytes. chunked: transfer coding. close: until the connection ends. */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'close';

export interface ResponseHead {
  readonly status: number;
  /** Names and values alternating, names in their original case, values trimmed. */
  readonly headers: readonly string[];
  readonly framing: BodyFraming;
  /** Bytes of body; only with framing `length`. */
  readonly length: number;
  /** Whether the connection may carry another request afterwards. */
  readonly keepAlive: boolean;
  /** The engine's own idle limit from `Keep-Alive: timeout=`, in milliseconds; undefined = it gave none. */
  readonly keepAliveMs: number | undefined;
}

/** The text of a head is not a valid response; `message` says why, in words fit for a log. */
export class HeadFault extends Error {
  override readonly name = 'HeadFault';
}

/**
 * @param text the head decoded as latin1, from the status line up to and without the empty line.
 * @param requestMethod decides, with the status, whether a body follows.
 * @throws HeadFault
 */
export function parseResponseHead(text: string, requestMethod: string): ResponseHead {
  const lineEnd = text.indexOf('\r\n');
  const statusLine = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const line = statusLinePattern.exec(statusLine);
  if (line === null) throw new HeadFault('bad status line');
  const status = Number(line[2]);
  const headers: string[] = [];
  const facts: FramingFacts = {
    length: undefined,
    chunked: false,
    connection: line[1] === '0' ? undefined : 'keep-alive',
    keepAliveMs: undefined,
  };
  const fields = lineEnd === -1 ? '' : text.slice(lineEnd);
  if (!fieldsPattern.test(fields)) throw new HeadFault(faultIn(fields));
  let start = lineEnd === -1 ? text.length : lineEnd + 2;
  while (start < text.length) {
    const found = text.indexOf('\r\n', start);
    const end = found === -1 ? text.length : found;
    readField(text.slice(start, end), headers, facts);
    start = end + 2;
  }
  const framing = bodyFraming(status, requestMethod, facts, line[1] === '1');
  return {
    status,
    // Some clients wait for a body of that length all the same.
    headers: status === 204 ? withoutLength(headers) : headers,
    framing,
    length: framing === 'length' ? (facts.length ?? 0) : 0,
    keepAlive: facts.connection === 'keep-alive' && framing !== 'close',
    keepAliveMs: facts.keepAliveMs,
  };
}

interface FramingFacts {
  length: number | undefined;
  chunked: boolean;
  /** close wins over everything; undefined = nothing said yet, by version or header, that would keep it open. */
  connection: 'close' | 'keep-alive' | undefined;
  keepAliveMs: number | undefined;
}

const statusLinePattern = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** All lines at once, each with the line end before it. A folded line begins with white space, so it has no valid name. */
const fieldsPattern = /^(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;
const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/;

/** Says what is wrong with lines of which one at least is no header. */
function faultIn(fields: string): string {
  const [, ...lines] = fields.split('\r\n');
  const areNamed = lines.every((line) => namePattern.test(line));
  return areNamed ? 'control character in a header value' : 'bad header line';
}

function readField(line: string, headers: string[], facts: FramingFacts): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  const value = trimBlanks(line, colon + 1);
  headers.push(name, value);
  switch (name.length) {
    case 10:
      readConnectionField(name.toLowerCase(), value, facts);
      break;
    case 14:
      if (name.toLowerCase() === 'content-length') readLength(value, facts);
      break;
    case 17:
      if (name.toLowerCase() === 'transfer-encoding') readCoding(value, facts);
      break;
    default:
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

function readConnectionField(name: string, value: string, facts: FramingFacts): void {
  if (name === 'connection') {
    for (const token of value.toLowerCase().split(',')) {
      if (token.trim() === 'close') facts.connection = 'close';
      else if (token.trim() === 'keep-alive') facts.connection ??= 'keep-alive';
    }
  } else if (name === 'keep-alive') {
    const timeout = /(?:^|[,\s])timeout=([0-9]{1,6})(?:$|[,\s])/i.exec(value);
    if (timeout !== null) facts.keepAliveMs = Number(timeout[1]) * 1000;
  }
}

function readLength(value: string, facts: FramingFacts): void {
  if (facts.length !== undefined) throw new HeadFault('more than one content-length');
  if (!/^[0-9]{1,15}$/.test(value)) throw new HeadFault('bad content-length');
  facts.length = Number(value);
}

function withoutLength(headers: readonly string[]): readonly string[] {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== 'content-length');
}

function readCoding(value: string, facts: FramingFacts): void {
  if (facts.chunked) throw new HeadFault('more than one transfer-encoding');
  if (value.toLowerCase() !== 'chunked') throw new HeadFault('unknown transfer-encoding');
  facts.chunked = true;
}

function bodyFraming(
  status: number,
  requestMethod: string,
  facts: FramingFacts,
  isHttp11: boolean,
): BodyFraming {
  if (facts.chunked && facts.length !== undefined) {
    throw new HeadFault('both content-length and transfer-encoding');
  }
  if (facts.chunked && !isHttp11) throw new HeadFault('transfer-encoding in an HTTP/1.0 answer');
  if (requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none';
  if (facts.chunked) return 'chunked';
  if (facts.length === undefined) return 'close';
  return facts.length === 0 ? 'none' : 'length';
}
