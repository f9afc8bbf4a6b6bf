import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, test } from 'vitest';

import { createRandom } from '../base/random.ts';
import { Conversations } from './conversations.ts';
import { createSimEngine } from './engine/engine.ts';
import { createDemoFleet } from './fleet.ts';
import { createTraffic, type TrafficOptions } from './traffic.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Seen {
  readonly path: string;
  readonly session: string | undefined;
  readonly key: string | undefined;
  readonly body: Record<string, unknown>;
}

/** A router for the traffic: it notes each request, and a very fast engine answers chat and completions. */
async function startRouter(): Promise<{ url: string; seen: Seen[]; breakAll: (broken: boolean) => void }> {
  const engine = createSimEngine({
    name: 'fast',
    models: [{ id: 'm', contextTokens: 100_000, promptTokensPerS: 1e7, tokensPerS: 1e5 }],
    slots: 32,
    seed: 1,
    sharing: 0,
  });
  const { url: engineUrl } = await engine.listen();
  closing.push(() => engine.close());
  const seen: Seen[] = [];
  let broken = false;
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { 'x-session-id': session, authorization } = request.headers;
      seen.push({
        path: request.url ?? '',
        session: session as string | undefined,
        key: authorization,
        body: JSON.parse(body.toString()) as Record<string, unknown>,
      });
      if (broken) {
        request.socket.destroy();
        return;
      }
      const onward = http.request(engineUrl + request.url, { method: 'POST', agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      response.on('close', () => onward.destroy());
      onward.on('error', () => response.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, seen, breakAll: (value) => (broken = value) };
}

function start(options: Pick<TrafficOptions, 'url'> & Partial<TrafficOptions>) {
  const traffic = createTraffic({
    models: { chat: ['m', 'other'], vectors: 'v' },
    seed: 3,
    ratePerMinute: 12_000,
    ...options,
  });
  closing.push(() => traffic.close());
  traffic.start();
  return traffic;
}

/** Polls until it holds, at most 10 s. */
async function eventually(holds: () => boolean): Promise<void> {
  for (let n = 0; n < 2000; n += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('never held');
}

describe('traffic', () => {
  test('mixes all kinds of requests, with and without sessions, and its counts add up', async () => {
    const { url, seen } = await startRouter();
    const traffic = start({ url, apiKey: 'k1' });
    await eventually(() => seen.length >= 150);
    traffic.stop();
    await eventually(() => traffic.stats().inFlight === 0);
    const { sent, completed, failed, left } = traffic.stats();
    expect(sent).toBe(completed + failed + left);
    expect(completed).toBeGreaterThan(50);
    const paths = new Set(seen.map(({ path }) => path));
    expect([...paths].sort()).toEqual([
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/embeddings',
      '/v1/rerank',
    ]);
    const chats = seen.filter(({ path }) => path === '/v1/chat/completions');
    expect(new Set(chats.map(({ session }) => session === undefined)).size).toBe(2);
    expect(seen.every(({ key }) => key === 'Bearer k1')).toBe(true);
    const turns = chats.map(({ body }) => (body['messages'] as unknown[]).length);
    expect(Math.max(...turns)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...turns)).toBeLessThanOrEqual(14);
  });

  test('stays within its concurrency and skips what is too much', async () => {
    const { url } = await startRouter();
    const hanging = http.createServer();
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', () => resolve()));
    closing.push(async () => {
      hanging.closeAllConnections();
      await new Promise((resolve) => hanging.close(resolve));
    });
    const stuck = new URL(url);
    stuck.port = String((hanging.address() as AddressInfo).port);
    const traffic = start({ url: stuck.href, concurrencyMax: 3 });
    await eventually(() => traffic.stats().skipped > 20);
    expect(traffic.stats().inFlight).toBeLessThanOrEqual(3);
    await traffic.close();
    expect(traffic.stats().inFlight).toBe(0);
  });

  test('survives a router that breaks, and can be switched off and on', async () => {
    const { url, seen, breakAll } = await startRouter();
    const traffic = start({ url });
    breakAll(true);
    await eventually(() => traffic.stats().failed > 10);
    breakAll(false);
    const { completed } = traffic.stats();
    await eventually(() => traffic.stats().completed > completed + 10);
    traffic.stop();
    expect(traffic.running).toBe(false);
    await eventually(() => traffic.stats().inFlight === 0);
    const { sent } = traffic.stats();
    expect(seen.length).toBeLessThanOrEqual(sent);
    traffic.start();
    traffic.start();
    expect(traffic.running).toBe(true);
    await eventually(() => traffic.stats().sent > sent + 5);
  });
});

describe('Conversations', () => {
  test('go on with what was answered, and forget what failed', () => {
    const conversations = new Conversations(['m'], createRandom(1));
    const first = conversations.nextTurn();
    expect(first.conversation.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    first.answered('yes');
    let next = conversations.nextTurn();
    for (let n = 0; n < 50 && next.conversation.messages.length === 2; n += 1) {
      next.failed();
      next = conversations.nextTurn();
    }
    expect(next.conversation.messages.slice(0, 3)).toEqual([
      ...first.conversation.messages,
      { role: 'assistant', content: 'yes' },
    ]);
  });
});

describe('the demo fleet', () => {
  test('serves every model that it names', async () => {
    const fleet = createDemoFleet({ seed: 1 });
    closing.push(() => fleet.close());
    const backends = await fleet.start();
    const served = new Set<string>();
    for (const { url } of backends) {
      const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
      for (const { id } of data) served.add(id);
    }
    expect([...served].sort()).toEqual([...fleet.models.chat, fleet.models.vectors].sort());
    expect(backends.map(({ id }) => id)).toEqual(fleet.engines.map(({ name }) => name));
    expect(fleet.describe()).toHaveLength(backends.length);
    expect(fleet.describe().every((line) => line.includes('(simulated)'))).toBe(true);
  });
});
