/** Writes the head of an answer to a client, in the words of node:http. Refuses what would smuggle a second line in. */
import { STATUS_CODES } from 'node:http';

export interface AnswerHead {
  readonly status: number;
  /** Names and values alternating, without connection and transfer-encoding. */
  readonly headers: readonly string[];
  /** No other answer follows on the connection. */
  readonly closes: boolean;
  /** What a client is told of how long the connection is kept, seconds. */
  readonly keepAliveS: number;
}

/** none: no body may follow. length: the headers have its length. chunked: transfer coding. */
export type AnswerFraming = 'none' | 'length' | 'chunked';

export interface WrittenHead {
  /** latin1, with the empty line. */
  readonly text: string;
  readonly framing: AnswerFraming;
}

/** @throws TypeError where a name or value is not fit for a header. */
export function formatAnswerHead({ status, headers, closes, keepAliveS }: AnswerHead): WrittenHead {
  let hasLength = false;
  let hasDate = false;
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (!namePattern.test(name)) throw new TypeError('bad header name');
    if (!valuePattern.test(value)) throw new TypeError(`bad character in header '${name}'`);
    text += `${name}: ${value}\r\n`;
    if (name.length === 14) hasLength ||= name.toLowerCase() === 'content-length';
    else if (name.length === 4) hasDate ||= name.toLowerCase() === 'date';
  }
  if (!hasDate) text += `Date: ${dateNow()}\r\n`;
  text += closes
    ? 'Connection: close\r\n'
    : `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveS}\r\n`;
  const framing = status === 204 || status === 304 ? 'none' : hasLength ? 'length' : 'chunked';
  if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n';
  return { text: `${text}\r\n`, framing };
}

const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

let dateEpochS = 0;
let dateText = '';

/** The text of a second is made once. */
function dateNow(): string {
  const epochS = Math.floor(Date.now() / 1000);
  if (epochS !== dateEpochS) {
    dateEpochS = epochS;
    dateText = new Date(epochS * 1000).toUTCString();
  }
  return dateText;
}
