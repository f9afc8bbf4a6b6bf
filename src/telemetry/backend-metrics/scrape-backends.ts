/** Asks backends for their own metrics, all at once, each within a deadline and a size. A backend that fails is one without. */
import { request, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import type { BackendId } from '../../domain/ids.ts';
import type { BackendPage } from './merge-expositions.ts';
import { parseExposition } from './parse-exposition.ts';

export interface ScrapeTarget {
  readonly backend: BackendId;
  /** Base URL; a path in it is put before `/metrics`. */
  readonly url: URL;
  readonly apiKey: string | undefined;
}

export interface ScrapeOptions {
  /** Deadline of each; default 1.5 s. */
  readonly timeoutMs?: number;
  /** Largest page; default 4 MiB. */
  readonly bytesMax?: number;
}

export interface Scrapes {
  readonly pages: readonly BackendPage[];
  /** Whether it gave a page, for each that was asked. */
  readonly up: ReadonlyMap<BackendId, boolean>;
}

const timeoutMsDefault = 1500;
const bytesMaxDefault = 4 * 1024 * 1024;

/** Never rejects. */
export async function scrapeBackends(
  targets: readonly ScrapeTarget[],
  options: ScrapeOptions = {},
): Promise<Scrapes> {
  const pages = await Promise.all(targets.map((target) => tryScrape(target, options)));
  return {
    pages: pages.filter((page) => page !== undefined),
    up: new Map(targets.map(({ backend }, index) => [backend, pages[index] !== undefined])),
  };
}

async function tryScrape(
  { backend, url, apiKey }: ScrapeTarget,
  { timeoutMs = timeoutMsDefault, bytesMax = bytesMaxDefault }: ScrapeOptions,
): Promise<BackendPage | undefined> {
  const signal = AbortSignal.timeout(timeoutMs);
  const address = `${url.origin}${url.pathname.replace(/\/+$/, '')}/metrics`;
  const headers = {
    accept: 'text/plain; version=0.0.4',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}`, 'x-api-key': apiKey }),
  };
  try {
    const response = await ask(address, { headers, signal });
    if (response.statusCode !== 200) {
      response.destroy();
      return undefined;
    }
    return { backend, families: parseExposition(await readBounded(response, bytesMax)) };
  } catch {
    // Why it failed shows at its probes and in its own log.
    return undefined;
  }
}

function ask(
  address: string,
  options: { readonly headers: Record<string, string>; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const send = address.startsWith('https:') ? requestTls : request;
  return new Promise((resolve, reject) => {
    send(address, { ...options, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
}

async function readBounded(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > bytesMax) throw new Error(`Page is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
