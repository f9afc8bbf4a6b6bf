import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { engineFixtures, startFixture } from '../../../test/contract/engine-fixtures.ts';
import type { FixtureServer } from '../../../test/contract/engine-fixtures.ts';
import { createProbeClient } from '../probe-client.ts';
import { llamacpp } from './llamacpp.ts';

let server: FixtureServer;
beforeEach(async () => {
  server = await startFixture(engineFixtures.llamacpp);
});
afterEach(() => server.close());

const read = (mayStir = true) =>
  llamacpp.read(createProbeClient({ url: server.url, timeoutMs: 10_000 }), { mayStir });

const props = (more: object) => ({
  json: { total_slots: 4, default_generation_settings: { n_ctx: 4096 }, build_info: 'b1', ...more },
});
const metrics = {
  text: 'llamacpp:requests_processing 3\n# HELP llamacpp:requests_deferred x\nllamacpp:requests_deferred 2\n',
};

describe('a llama-server with one model', () => {
  test('tells slots, context, aliases and version', async () => {
    expect(await read()).toMatchObject({
      readiness: 'ready',
      slotsTotal: 4,
      slotsBusy: 1,
      version: 'b11669-Debian',
      models: new Map([
        ['tiny', 'tiny'],
        ['tiny-alias', 'tiny'],
      ]),
      loaded: new Set(['tiny']),
      contextTokens: new Map([['tiny', 4096]]),
    });
  });

  test('is not asked for its slots while it sleeps, and has no model in memory', async () => {
    server.override('/props', props({ is_sleeping: true, endpoint_metrics: true }));
    const reading = await read();
    expect(reading).toMatchObject({ readiness: 'sleeping', slotsTotal: 4, slotsBusy: 0 });
    expect(reading.loaded).toEqual(new Set());
    expect(reading.models?.has('tiny')).toBe(true);
    expect(server.asked.toSorted()).toEqual(['/health', '/props', '/v1/models']);
  });

  test('is not asked for its slots when nobody knows whether it sleeps', async () => {
    server.override('/props', { status: 500, text: '' });
    expect(await read()).toMatchObject({ readiness: 'ready', slotsTotal: undefined, slotsBusy: undefined });
    expect(server.asked).not.toContain('/slots');
  });

  test('is not asked for its slots in a round that must not stir', async () => {
    expect(await read(false)).toMatchObject({ slotsTotal: 4, slotsBusy: undefined });
    expect(server.asked).not.toContain('/slots');
  });

  test('counts running and queued requests from its metrics where it has them, stirring or not', async () => {
    server.override('/props', props({ endpoint_metrics: true }));
    server.override('/metrics', metrics);
    expect((await read(false)).slotsBusy).toBe(5);
    expect((await read(true)).slotsBusy).toBe(5);
    expect(server.asked).not.toContain('/slots');
  });

  test('falls back to its slots when its metrics fail', async () => {
    server.override('/props', props({ endpoint_metrics: true }));
    expect((await read()).slotsBusy).toBe(1);
  });

  test('keeps its slot count without /slots', async () => {
    server.override('/props', props({ endpoint_slots: false }));
    server.override('/slots', { status: 501, json: { error: { code: 501 } } });
    expect(await read()).toMatchObject({ readiness: 'ready', slotsTotal: 4, slotsBusy: undefined });
    expect(server.asked).not.toContain('/slots');
  });

  test('keeps an alias from hiding another model', async () => {
    server.override('/v1/models', {
      json: {
        data: [
          { id: 'a', aliases: ['b', 'c'] },
          { id: 'b', aliases: null },
        ],
      },
    });
    expect((await read()).models).toEqual(
      new Map([
        ['a', 'a'],
        ['c', 'a'],
        ['b', 'b'],
      ]),
    );
  });

  test('takes the context from the model list when the properties do not tell', async () => {
    server.override('/props', { json: { total_slots: 2, is_sleeping: false } });
    expect((await read()).contextTokens).toEqual(new Map([['tiny', 4096]]));
  });
});

describe('a llama-server in router mode', () => {
  test.each<[string, object, boolean]>([
    ['no status', {}, true],
    ['a status that is text', { status: 'loaded' }, true],
    ['another text', { status: 'unloaded' }, false],
    ['a status without a value', { status: {} }, false],
  ])('takes a model with %s %j as loaded: %s', async (_, fields, isLoaded) => {
    server.override('/v1/models', { json: { data: [{ id: 'm', ...fields }] } });
    expect((await read()).loaded?.has('m')).toBe(isLoaded);
  });

  test('that cannot list its models hides what is loaded', async () => {
    server.override('/v1/models', { status: 500, text: '' });
    expect(await read()).toMatchObject({ loaded: undefined, isLoadedHidden: true });
  });

  const entry = (id: string, status: object, more: object = {}) => ({ id, aliases: [], status, ...more });
  beforeEach(() => {
    server.override('/props', { json: { role: 'router', max_instances: 2, build_info: 'b2' } });
    server.override('/v1/models', {
      json: {
        data: [
          entry(
            'a',
            { value: 'loaded', args: ['--api-key', 'secret'] },
            { aliases: ['a1'], meta: { n_ctx: 9 } },
          ),
          entry('b', { value: 'loaded', preset: '[b]\napi-key = secret' }),
          entry('c', { value: 'unloaded' }, { context_length: 777 }),
          entry('d', { value: 'loading' }),
          entry('e', { value: 'sleeping' }),
          entry('f', { value: 'unloaded', failed: true, exit_code: 1 }),
        ],
      },
    });
    server.override('/props?model=a&autoload=false', props({ default_generation_settings: { n_ctx: 2048 } }));
    server.override('/props?model=b&autoload=false', props({ endpoint_metrics: true, total_slots: 2 }));
    server.override('/metrics?model=b&autoload=false', metrics);
  });
  const slots = { json: [{ is_processing: true }, { is_processing: false }] };

  test('lists all models and asks only loaded ones, never so that one is loaded', async () => {
    server.override('/slots?model=a&autoload=false', slots);
    const reading = await read();
    expect([...(reading.models ?? [])]).toEqual([
      ['a', 'a'],
      ['a1', 'a'],
      ['b', 'b'],
      ['c', 'c'],
      ['d', 'd'],
      ['e', 'e'],
      ['f', 'f'],
    ]);
    expect(reading).toMatchObject({
      readiness: 'ready',
      slotsTotal: 6,
      slotsBusy: 6,
      modelsMax: 2,
      version: 'b2',
    });
    expect(reading.loaded).toEqual(new Set(['a', 'b']));
    const aboutModels = server.asked.filter((path) => path.includes('?'));
    expect(aboutModels.every((path) => /\?model=[ab]&autoload=false$/.test(path))).toBe(true);
  });

  test('takes contexts of loaded models only', async () => {
    expect((await read()).contextTokens).toEqual(
      new Map([
        ['a', 2048],
        ['b', 4096],
      ]),
    );
  });

  test('gives no total of busy slots when one model does not tell', async () => {
    server.override('/slots?model=a&autoload=false', { status: 400, json: { error: 'model is not loaded' } });
    expect(await read()).toMatchObject({ slotsTotal: 6, slotsBusy: undefined });
  });

  test('does not count a model as loaded that fell asleep meanwhile', async () => {
    server.override('/props?model=a&autoload=false', props({ is_sleeping: true }));
    expect((await read()).loaded).toEqual(new Set(['b']));
    expect(server.asked).not.toContain('/slots?model=a&autoload=false');
  });

  test("keeps its children's command lines to itself", async () => {
    const objects = [...((await read()).modelObjects?.values() ?? [])];
    expect(JSON.stringify(objects)).not.toContain('secret');
    expect(objects.at(-1)).toMatchObject({ status: { value: 'unloaded', failed: true } });
  });

  test('has no limit of models when it says 0', async () => {
    server.override('/props', { json: { role: 'router', max_instances: 0 } });
    expect((await read()).modelsMax).toBeUndefined();
  });

  test('still takes requests when its model list fails', async () => {
    server.override('/v1/models', { status: 500, text: '' });
    expect(await read()).toMatchObject({
      readiness: 'ready',
      models: undefined,
      loaded: undefined,
      modelsMax: 2,
    });
  });
});

test.each([
  [500, 'image input is not supported - hint: if this is unexpected', true],
  [500, 'the current context does not support logits computation. skipping', true],
  [500, 'input (1982 tokens) is too large to process. increase the physical batch size', true],
  [500, '{"error":{"code":500,"message":"Context size has been exceeded."', true],
  [501, '{"error":{"code":501,"message":"no embeddings","type":"not_supported_error"}}', true],
  [500, 'something else', false],
  [503, 'Loading model', false],
])('status %i with "%s" blames the client: %s', (status, body, blames) => {
  expect(llamacpp.blamesClient(status, body)).toBe(blames);
});
