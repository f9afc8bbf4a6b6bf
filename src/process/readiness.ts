/** Finds out when a child answers over HTTP. Owns no process: the caller ends the wait when the child is gone. */
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';

export interface ReadinessOptions {
  readonly url: URL;
  /** Longest wait as a whole. */
  readonly timeoutMs: number;
  /** Longest wait for one answer. Default 5 s. */
  readonly probeTimeoutMs?: number;
  /** Longest pause between two probes; the first ones follow faster. Default 1 s. */
  readonly intervalMs?: number;
  readonly clock: Clock;
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
}

export type Readiness =
  | { readonly type: 'ready' }
  /** `lastProblem`: what the last probe met, for people. */
  | { readonly type: 'timeout'; readonly lastProblem: string }
  | { readonly type: 'aborted' };

/** A tiny model is ready 50 to 110 ms after its start (llama-server), so the first probes come quickly. */
const firstPauseMs = 20;

const noAnswer = 'no answer within';

/** GETs the URL until it answers 2xx. A refused connection, a reset and any other status mean: not yet. */
export async function waitUntilReady(options: ReadinessOptions): Promise<Readiness> {
  const { url, timeoutMs, probeTimeoutMs = 5000, intervalMs = 1000, clock, signal } = options;
  const giveUpAtMs = clock.nowMs() + timeoutMs;
  let pauseMs = Math.min(firstPauseMs, intervalMs);
  let lastProblem: string | undefined;
  /** Of the last probe that was answered or had its full time. */
  let lastWhole: string | undefined;
  for (;;) {
    if (signal.aborted) return { type: 'aborted' };
    const leftMs = giveUpAtMs - clock.nowMs();
    if (leftMs <= 0) return { type: 'timeout', lastProblem: lastProblem ?? 'no answer' };
    const problem = await probe(url, Math.min(probeTimeoutMs, leftMs), signal);
    if (signal.aborted) return { type: 'aborted' };
    if (problem === undefined) return { type: 'ready' };
    // A probe that the deadline cut short says less than the one before it.
    const wasCut = problem.startsWith(noAnswer) && leftMs < probeTimeoutMs;
    if (!wasCut) lastWhole = problem;
    lastProblem = wasCut && lastWhole !== undefined ? `${problem}, before that ${lastWhole}` : problem;
    await pause(Math.min(pauseMs, Math.max(0, giveUpAtMs - clock.nowMs())), signal);
    pauseMs = Math.min(intervalMs, pauseMs * 1.5);
  }
}

/**
 * Where to ask. Host, port and path prefix come from `proxy`; of `checkEndpoint` only path and query count.
 * undefined for `none`: the child counts as ready as soon as it runs. Throws on an invalid URL.
 */
export function createCheckUrl(proxy: string, checkEndpoint: string): URL | undefined {
  if (checkEndpoint === 'none') return undefined;
  const url = new URL(proxy);
  const check = new URL(checkEndpoint === '' ? '/' : checkEndpoint, url.origin);
  url.pathname = url.pathname.replace(/\/$/, '') + check.pathname;
  url.search = check.search;
  return url;
}

/** What is wrong, or undefined after a 2xx. */
function probe(url: URL, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const get = url.protocol === 'https:' ? httpsGet : httpGet;
    // A socket of its own each time: nothing is kept open to a child that may be stopped any moment.
    const request = get(url, { agent: false, headers: { accept: '*/*' } }, (response) => {
      const status = response.statusCode ?? 0;
      settle(status >= 200 && status < 300 ? undefined : `status ${status}`);
    });
    const timer = setTimeout(() => {
      settle(`${noAnswer} ${Math.round(timeoutMs)} ms`);
    }, timeoutMs);
    const onAbort = (): void => {
      settle('aborted');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('error', (error: NodeJS.ErrnoException) => {
      settle(error.code ?? error.message);
    });

    function settle(problem: string | undefined): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(problem);
      request.destroy();
    }
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Only an abort ends a pause early; the caller looks at the signal.
  }
}
