/**
 * Who uses the router in the soak: chats that go on, streams that are left, models that swap, ensembles, cached answers,
 * translated APIs, mistakes, and readers of the control plane. Bounded, and indifferent to how requests end.
 */
import http from 'node:http';
import { createRandom, type Random } from '../../src/base/random.ts';
import { sendUserRequest, type SentRequest } from '../../src/sim/traffic-client.ts';
import { keys, names } from './fleet.ts';

export interface Users {
  stop(): void;
  /** Stops, aborts what is out and resolves when it is gone. */
  close(): Promise<void>;
  /** Requests that are out. */
  readonly out: number;
}

interface Wish {
  readonly share: number;
  make(
    random: Random,
    count: number,
  ): { readonly path: string; readonly body: object; readonly headers?: Record<string, string> };
}

const tickMs = 20;
const timeoutMs = 60_000;
const outMax = 60;
/** Of all requests, those whose client leaves at some moment. */
const leaves = 0.15;
const leavesMsMax = 600;

const wishes: readonly Wish[] = [
  {
    share: 40,
    make: (random, count) => ({
      path: '/v1/chat/completions',
      body: chat(random, `Conversation ${count % 150}`, { stream: true }),
      headers: { 'x-session-id': `session-${count}` },
    }),
  },
  { share: 12, make: (random) => ({ path: '/v1/chat/completions', body: chat(random, 'Plainly') }) },
  {
    share: 8,
    make: (random, count) => ({
      path: '/v1/chat/completions',
      body: { ...chat(random, 'Swap', { stream: count % 2 === 0 }), model: pick(names.swapped, random) },
    }),
  },
  {
    share: 10,
    make: (random, count) => ({
      path: '/v1/chat/completions',
      // Some questions come again, some never do, and fill the cache.
      body: {
        ...chat(random, `Cached ${count % 3 === 0 ? count : count % 20}`, { stream: count % 4 === 0 }),
        max_tokens: 8,
      },
      headers: { 'x-llamero-cache': 'use' },
    }),
  },
  {
    share: 3,
    make: (random, count) => ({
      path: '/v1/chat/completions',
      body: { ...chat(random, 'Ensemble', { stream: count % 2 === 0 }), model: names.ensemble },
    }),
  },
  {
    share: 5,
    make: (random) => ({ path: '/v1/messages', body: chat(random, 'Translated', { stream: true }) }),
  },
  {
    share: 5,
    make: (random, count) => ({
      path: '/v1/responses',
      body: { model: names.chat, input: words(random, 30), stream: count % 2 === 0, max_output_tokens: 10 },
    }),
  },
  {
    share: 6,
    make: (random) => ({ path: '/api/chat', body: { ...chat(random, 'Ollama'), model: names.ollama } }),
  },
  {
    share: 3,
    make: (random) => ({ path: '/v1/chat/completions', body: chat(random, words(random, 8000)) }),
  },
  {
    share: 4,
    make: (_, count) => ({ path: '/v1/chat/completions', body: { model: `nobody-${count}`, messages: [] } }),
  },
  { share: 2, make: (_, count) => ({ path: `/nowhere/${count}`, body: {} }) },
  {
    share: 2,
    make: (random) => ({ path: '/v1/chat/completions', body: { ...chat(random, 'Bad'), messages: 7 } }),
  },
];

const pages = [
  '/api/status',
  '/api/requests',
  '/metrics',
  '/v1/models',
  '/api/usage',
  '/api/metrics/activity',
  '/monitor',
];
const streams = ['/api/events', '/logs/stream'];

/** `ratePerS` requests a second, in gaps that know nothing of each other. */
export function startUsers({ url, ratePerS, seed }: { url: string; ratePerS: number; seed: number }): Users {
  const random = createRandom(seed);
  const agent = new http.Agent({ keepAlive: true });
  const out = new Set<SentRequest>();
  const readers = new AbortController();
  let begun = 0;
  let due = 0;

  async function send(): Promise<void> {
    begun += 1;
    const { path, body, headers } = pickWish(random).make(random, begun);
    // Many connections live for one request only.
    const own = random.next() < 0.2 ? new http.Agent() : agent;
    const sent = sendUserRequest({
      url: new URL(path, url),
      agent: own,
      body: body as Record<string, unknown>,
      headers: { ...headers, authorization: `Bearer ${pick(keys.users, random)}` },
      timeoutMs,
    });
    out.add(sent);
    const leaving =
      random.next() < leaves ? setTimeout(() => sent.abort(), random.next() * leavesMsMax) : undefined;
    await sent.answer;
    clearTimeout(leaving);
    out.delete(sent);
  }

  const arrivals = setInterval(() => {
    due += (ratePerS * tickMs) / 1000;
    for (; due >= 1; due -= 1) if (out.size < outMax) void send();
  }, tickMs);
  const looks = setInterval(() => {
    const isStream = random.next() < 0.3;
    const path = pick(isStream ? streams : pages, random);
    void look(url + path, isStream ? 3000 : 10_000, readers.signal);
  }, 1000);

  const stop = (): void => {
    clearInterval(arrivals);
    clearInterval(looks);
  };
  return {
    stop,
    async close() {
      stop();
      readers.abort();
      const answers = [...out].map(({ answer }) => answer);
      for (const sent of out) sent.abort();
      await Promise.all(answers);
      agent.destroy();
    },
    get out() {
      return out.size;
    },
  };
}

/** Reads a page of the control plane for so long at most. */
async function look(url: string, ms: number, ending: AbortSignal): Promise<void> {
  try {
    const signal = AbortSignal.any([ending, AbortSignal.timeout(ms)]);
    const response = await fetch(url, { headers: { authorization: `Bearer ${keys.admin}` }, signal });
    for await (const chunk of response.body ?? []) void chunk;
  } catch {
    // Left, or the router was busy with something else: what counts is what stays behind there.
  }
}

function chat(random: Random, about: string, more: object = {}): Record<string, unknown> {
  const messages = [
    { role: 'system', content: `You are terse. ${about}` },
    { role: 'user', content: words(random, 5 + Math.floor(random.next() * 60)) },
  ];
  return { model: names.chat, messages, max_tokens: 4 + Math.floor(random.next() * 40), ...more };
}

function words(random: Random, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random.next() * 60_000).toString(36)).join(' ');
}

const sharesTotal = wishes.reduce((sum, { share }) => sum + share, 0);

function pickWish(random: Random): Wish {
  let at = random.next() * sharesTotal;
  return wishes.find(({ share }) => (at -= share) < 0) ?? (wishes[0] as Wish);
}

function pick<Value>(values: readonly Value[], random: Random): Value {
  return values[Math.floor(random.next() * values.length)] as Value;
}
