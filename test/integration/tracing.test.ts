/** Traces end to end: a caller's context in, the backend's out, and spans at a collector. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from '../../src/app.ts';
import { loadConfigText } from '../../src/config/load.ts';
import { spanAttributes } from '../../src/telemetry/tracing/span.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { startOtlpCollector, type OtlpCollector, type ReceivedSpan } from '../otlp-collector.ts';
import { chat } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { headersOf, posts } from './seen-requests.ts';
import { until } from './start-router.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${callerSpanId}-01`;

async function startTraced(config: object, env: NodeJS.ProcessEnv) {
  const text = JSON.stringify({
    listen: '127.0.0.1:0',
    probes: { interval: '100ms', deadInterval: '100ms' },
    ...config,
  });
  const loaded = loadConfigText({ file: 'test', env: {}, text });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const log: string[] = [];
  const app = new App({
    config: loaded.config,
    version: 'test',
    terminal: false,
    env,
    logDestination: { write: (line: string) => void log.push(line) },
  });
  await app.start();
  return { app, log, url: `http://${app.addresses()[0]}`, [Symbol.asyncDispose]: () => app.close() };
}

async function engineForTest() {
  const engine = await startFakeEngine();
  onTestFinished(() => engine.close());
  return engine;
}

const tracedTo = ({ url }: OtlpCollector): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_SERVICE_NAME: 'router-1',
});

const named = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const found = spans.find((span) => span.name === name);
  if (found === undefined)
    throw new Error(`no span ${name} among ${spans.map((span) => span.name).join(', ')}`);
  return found;
};

/** One line per span, children below their parents, times from the start of the first. */
function drawTrace(spans: readonly ReceivedSpan[]): string {
  const toMs = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1_000_000n);
  const zeroMs = Math.min(...spans.map((span) => toMs(span.startTimeUnixNano)));
  const lines = (parent: string | undefined, depth: number): string[] =>
    spans
      .filter((span) => span.parentSpanId === parent)
      .sort((left, right) => (left.startTimeUnixNano < right.startTimeUnixNano ? -1 : 1))
      .flatMap((span) => {
        const startMs = toMs(span.startTimeUnixNano) - zeroMs;
        const ms = toMs(span.endTimeUnixNano) - toMs(span.startTimeUnixNano);
        const linked = span.links === undefined ? '' : `  → ${span.links.length} linked`;
        const text = `${'  '.repeat(depth)}${span.name}`.padEnd(28);
        return [`${text} +${startMs} ms, ${ms} ms${linked}`, ...lines(span.spanId, depth + 1)];
      });
  return [...lines(callerSpanId, 0), ...lines(undefined, 0)].join('\n');
}

describe('a traced request', () => {
  test('that waits, has its model swapped in and streams shows each of it', async () => {
    await using collector = await startOtlpCollector();
    const models = await withModels({
      first: { cmd: fakeCommand('first', '--tokens-per-s 60') },
      second: { cmd: fakeCommand('second', '--load-ms 200') },
    });
    const router = await startTraced(models, tracedTo(collector));
    const running = chat(router.url, { model: 'first', stream: true, max_tokens: 40 });
    await running.head;
    const headers = { traceparent, tracestate: 'vendor=1' };
    const body = {
      model: 'second',
      stream: true,
      max_tokens: 8,
      messages: [{ role: 'user', content: 'a secret river' }],
    };
    const answers = await Promise.all([running.answer, chat(router.url, body, { headers }).answer]);
    expect(answers.map(({ status, complete }) => [status, complete])).toEqual([
      [200, true],
      [200, true],
    ]);
    await router.app.close();

    expect(collector.problems).toEqual([]);
    const spans = collector.spans.filter((span) => span.traceId === traceId);
    const load = named(collector.spans, 'load second');
    process.stdout.write(`${drawTrace([...spans, load])}\n`);
    const root = spans.find((span) => span.parentSpanId === callerSpanId);
    const call = spans.find((span) => span.kind === 3);
    if (root === undefined || call === undefined) throw new Error('root or call is missing');
    expect([root.name, root.kind, call.name]).toEqual(['chat second', 2, 'chat second']);
    expect(call.parentSpanId).toBe(root.spanId);
    expect(root.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'llamero.outcome': 'completed',
      'llamero.route': 'chat-completions',
    });
    expect(call.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'llamacpp',
      'gen_ai.request.model': 'second',
      'gen_ai.response.model': 'second',
      'gen_ai.request.stream': true,
      'gen_ai.usage.output_tokens': 8,
      'server.address': 'localhost',
      'llamero.attempt': 1,
    });
    expect(call.attributes['server.port']).toBeGreaterThan(1024);
    for (const phase of ['read', 'queue']) expect(named(spans, phase).parentSpanId).toBe(root.spanId);
    for (const phase of ['connect', 'first byte', 'stream'])
      expect(named(spans, phase).parentSpanId).toBe(call.spanId);
    const wait = named(spans, 'load wait');
    expect(wait.parentSpanId).toBe(named(spans, 'queue').spanId);
    expect(wait.links).toEqual([{ traceId: load.traceId, spanId: load.spanId }]);
    expect(load.links).toEqual([{ traceId: root.traceId, spanId: root.spanId }]);
    expect(load.attributes).toMatchObject({ 'llamero.load.result': 'ready', 'llamero.load.swap': true });
    expect(spans.every(({ traceState }) => traceState === 'vendor=1')).toBe(true);
    for (const span of collector.spans) {
      expect(span.resource['service.name']).toBe('router-1');
      for (const [name, value] of Object.entries(span.attributes)) {
        const kind = spanAttributes[name as keyof typeof spanAttributes];
        expect(kind === 'int' || kind === 'double' ? 'number' : kind, name).toBe(typeof value);
      }
    }
    expect(JSON.stringify(collector.spans)).not.toContain('river');
  });

  test('hands its own span on to the backend, in place of the caller’s', async () => {
    await using collector = await startOtlpCollector();
    const engine = await engineForTest();
    await using router = await startTraced({ backends: { gpu: { url: engine.url } } }, tracedTo(collector));
    await until(async () => (await chat(router.url, {}, { headers: { traceparent } }).answer).status === 200);
    await router.app.close();
    const [seen] = await posts(engine);
    const call = collector.spans.find((span) => span.kind === 3);
    if (seen === undefined || call === undefined) throw new Error('no request, or no span of it');
    const received = headersOf(seen).get('traceparent');
    expect(received).toBe(`00-${traceId}-${call.spanId}-01`);
    expect(seen.headers.filter((name) => name.toLowerCase() === 'traceparent')).toHaveLength(1);
  });

  test('has the id of its trace in its line of the log, unless nobody keeps the trace', async () => {
    await using collector = await startOtlpCollector();
    const engine = await engineForTest();
    await using router = await startTraced({ backends: { gpu: { url: engine.url } } }, tracedTo(collector));
    const ask = (flags: string) =>
      chat(router.url, {}, { headers: { traceparent: `00-${traceId}-${callerSpanId}-${flags}` } }).answer;
    await until(async () => (await ask('01')).status === 200);
    await ask('00');
    await router.app.close();
    const lines = router.log.map((line) => JSON.parse(line) as Record<string, unknown>);
    const told = lines.filter(({ msg, status }) => msg === 'request' && status === 200);
    expect(told.map((line) => line['traceId'])).toEqual([traceId, undefined]);
  });

  test('that failed on one backend has a span for each try', async () => {
    await using collector = await startOtlpCollector();
    const good = await engineForTest();
    const bad = await engineForTest();
    const backends = { bad: { url: bad.url, priority: 0 }, good: { url: good.url, priority: 1 } };
    const config = { backends, scheduling: { scorers: { priority: 1 } }, probes: { interval: '1m' } };
    await using router = await startTraced(config, tracedTo(collector));
    await until(async () => {
      const status = (await (await fetch(`${router.url}/api/status`)).json()) as {
        backends: { state: string }[];
      };
      return status.backends.every(({ state }) => state === 'live');
    });
    await bad.close();
    const answer = await chat(router.url, {}, { headers: { traceparent } }).answer;
    expect(answer.status).toBe(200);
    await router.app.close();
    const calls = collector.spans.filter((span) => span.kind === 3);
    expect(calls.map(({ attributes }) => [attributes['llamero.backend'], attributes['error.type']])).toEqual([
      ['bad', 'ECONNREFUSED'],
      ['good', undefined],
    ]);
    expect(calls.map(({ status }) => status.code)).toEqual([2, 0]);
  });

  test('that the caller does not want traced makes no spans, and tells the backend so', async () => {
    await using collector = await startOtlpCollector();
    const engine = await engineForTest();
    await using router = await startTraced({ backends: { gpu: { url: engine.url } } }, tracedTo(collector));
    const headers = { traceparent: `00-${traceId}-${callerSpanId}-00` };
    await until(async () => (await chat(router.url, {}, { headers }).answer).status === 200);
    await router.app.close();
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
    const [seen] = await posts(engine);
    const received = seen === undefined ? '' : headersOf(seen).get('traceparent');
    expect(received).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(received).not.toContain(callerSpanId);
  });

  test('of an ensemble has those of its members below it', async () => {
    await using collector = await startOtlpCollector();
    const engine = await engineForTest();
    const ensembles = { panel: { models: 'tiny', answers: 2, critiques: 0 } };
    const router = await startTraced(
      { backends: { one: { url: engine.url } }, ensembles },
      tracedTo(collector),
    );
    const headers = { traceparent };
    const body = { model: 'panel', max_tokens: 4 };
    expect((await chat(router.url, body, { headers }).answer).status).toBe(200);
    await router.app.close();

    const spans = collector.spans.filter((span) => span.traceId === traceId && span.kind === 2);
    const root = spans.find((span) => span.parentSpanId === callerSpanId);
    expect(spans).toHaveLength(4);
    expect(spans.filter((span) => span.parentSpanId === root?.spanId)).toHaveLength(3);
  });
});

test('a request that is not traced passes its trace headers on as they came', async () => {
  const engine = await engineForTest();
  await using router = await startTraced({ backends: { gpu: { url: engine.url } } }, {});
  const headers = { traceparent, tracestate: 'vendor=1' };
  await until(async () => (await chat(router.url, {}, { headers }).answer).status === 200);
  const [seen] = await posts(engine);
  if (seen === undefined) throw new Error('no request');
  expect(headersOf(seen).get('traceparent')).toBe(traceparent);
  expect(headersOf(seen).get('tracestate')).toBe('vendor=1');
});
