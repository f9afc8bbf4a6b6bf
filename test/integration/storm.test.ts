/** After hundreds of requests with faults and departures everything is as it was before: slots, queue, sockets. */
import { expect, test } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import type { Fault } from '../fake-engine/fault.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, type AskOptions } from './client.ts';
import { startRouter, until } from './start-router.ts';

const requestsTotal = 500;
const atOnce = 40;
const seed = 20_261;

const random = createRandom(seed);
const below = (count: number): number => Math.floor(random.next() * count);
const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;

const inference = '/v1/chat/completions';
const faults: readonly Fault[] = [
  { kind: 'status', status: 503, path: inference },
  { kind: 'status', status: 500, path: inference },
  { kind: 'hang', path: inference },
  { kind: 'drop', how: 'rst', afterEvents: 2, path: inference },
  { kind: 'drop', how: 'fin', afterEvents: 1, path: inference },
  { kind: 'drop', how: 'fin', afterBytes: 40, path: inference },
  { kind: 'reset', at: 'request', path: inference },
  { kind: 'reset', at: 'reuse' },
  { kind: 'reset', at: 'accept' },
  { kind: 'noDone', path: inference },
  { kind: 'rawTail', afterEvents: 1, path: inference },
  { kind: 'errorFrame', afterEvents: 1, path: inference },
  { kind: 'garbage', path: inference },
  { kind: 'hugeHeader', bytes: 200_000, path: inference },
  { kind: 'wrongLength', delta: 5, path: inference },
  { kind: 'split', path: inference },
  { kind: 'delayHead', ms: 50, path: inference },
  { kind: 'refuse', ms: 100 },
];

interface Wanted {
  readonly path: string;
  readonly options: AskOptions;
}

function anyRequest(index: number): Wanted {
  const messages = [{ role: 'user', content: `storm ${index % 50}` }];
  const chatBody = { model: 'tiny', messages, max_tokens: 1 + below(30), stream: random.next() < 0.6 };
  const choices: readonly Wanted[] = [
    { path: inference, options: { body: chatBody } },
    { path: inference, options: { body: chatBody } },
    { path: inference, options: { body: chatBody, headers: { 'x-session-id': `s${index % 7}` } } },
    { path: '/v1/completions', options: { body: { model: 'tiny', prompt: 'x', max_tokens: 3 } } },
    { path: '/v1/messages', options: { body: { model: 'tiny', messages, max_tokens: 3, stream: true } } },
    { path: '/tokenize', options: { body: { content: 'the river' } } },
    { path: inference, options: { body: { ...chatBody, model: 'tinny' } } },
    { path: inference, options: { body: '{"model":"tiny","messages":' } },
    { path: '/v1/models', options: {} },
    { path: '/nowhere', options: {} },
  ];
  return pick(choices);
}

/** Sends one, and leaves it at some moment, or when its answer begins, or stays to its end. */
async function live(url: string, wanted: Wanted): Promise<void> {
  const mood = random.next();
  const asking = ask(url + wanted.path, {
    ...wanted.options,
    onChunk() {
      if (mood < 0.15) asking.leave();
    },
  });
  const timer = mood > 0.85 ? setTimeout(() => asking.leave(), below(120)) : undefined;
  await asking.answer.catch(() => undefined);
  clearTimeout(timer);
}

const socketsOpen = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;

test(
  `${requestsTotal} mixed requests with faults and departures leave nothing behind`,
  { timeout: 90_000 },
  async () => {
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => void rejections.push(reason);
    process.on('unhandledRejection', onRejection);
    const model = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 300 };
    const engines = await Promise.all([0, 1, 2].map(() => startFakeEngine({ slots: 3, models: [model] })));
    const socketsBefore = socketsOpen();
    const router = await startRouter({
      backends: Object.fromEntries(
        engines.map(({ url }, index) => [
          `e${index}`,
          { url, timeouts: { firstByte: '1s', idle: '1s' }, cancelNonStreaming: index === 2 },
        ]),
      ),
      scheduling: { queueTimeout: '10s', deadWait: '5s' },
      probes: { interval: '100ms', deadInterval: '100ms', timeout: 2, breakerFailures: 5 },
    });
    await router.ready();
    let next = 0;
    const worker = async () => {
      while (next < requestsTotal) {
        const index = next;
        next += 1;
        if (index % 5 === 0) await pick(engines).fault({ ...pick(faults), times: 1 });
        await live(router.url, anyRequest(index));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    for (const engine of engines) await engine.reset();

    await until(async () => {
      const { requests, queue, backends } = await router.status();
      return (
        requests.in_flight === 0 &&
        queue.depth === 0 &&
        backends.every(({ state, slots }) => /live|degraded/.test(state) && slots.free === slots.total)
      );
    }, 15_000);
    const { requests, backends } = await router.status();
    expect(backends.map(({ slots }) => [slots.own, slots.lingering, slots.foreign, slots.free])).toEqual([
      [0, 0, 0, 3],
      [0, 0, 0, 3],
      [0, 0, 0, 3],
    ]);
    expect(backends.map(({ in_flight_by_model: running }) => Object.values(running))).toEqual([[], [], []]);
    expect(requests.by_outcome.internal).toBe(0);
    for (const outcome of ['completed', 'cancelled_streaming', 'failed_midstream'] as const) {
      expect(requests.by_outcome[outcome], outcome).toBeGreaterThan(0);
    }
    expect(router.logLines.filter(({ level }) => level === 'error')).toEqual([]);
    for (const engine of engines) expect(engine.engine.state().models[0]?.slotsBusy).toBe(0);
    for (const { url } of engines) expect((await ask(`${url}/health`).answer).status).toBe(200);
    expect((await ask(router.url + inference, anyRequest(0).options).answer).status).toBeLessThan(500);

    await router[Symbol.asyncDispose]();
    await until(() => socketsOpen() <= socketsBefore);
    await Promise.all(engines.map((engine) => engine.close()));
    process.off('unhandledRejection', onRejection);
    expect(rejections).toEqual([]);
  },
);
