/** One request as raw bytes, and the answer as text: for targets and headers that no library would send. */
import { connectRaw } from '../integration/raw-client.ts';

/** `line`: method and target. Gives the head of the answer and what came with it. */
export async function sendHead(
  url: string,
  line: string,
  headers: readonly string[],
  body = '',
): Promise<string> {
  using client = await connectRaw(url);
  const host = headers.some((header) => header.startsWith('Host:')) ? [] : ['Host: router'];
  client.socket.write(`${[`${line} HTTP/1.1`, ...host, ...headers].join('\r\n')}\r\n\r\n${body}`);
  return await client.receives(/\r\n\r\n[\s\S]*/);
}

export function statusOf(answer: string): number {
  return Number(answer.slice(9, 12));
}
