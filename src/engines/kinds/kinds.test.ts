import { afterEach, expect, test } from 'vitest';
import { engineFixtures, startFixture } from '../../../test/contract/engine-fixtures.ts';
import type { Answer, FixtureServer } from '../../../test/contract/engine-fixtures.ts';
import type { EngineName } from '../../domain/engine-names.ts';
import type { EngineReading } from '../engine-kind.ts';
import { createProbeClient } from '../probe-client.ts';
import { engineKinds } from './index.ts';

let server: FixtureServer | undefined;
afterEach(() => server?.close());

async function read(
  name: EngineName,
  changed: Readonly<Record<string, Answer>> = {},
): Promise<EngineReading> {
  server = await startFixture(engineFixtures[name]);
  for (const [path, answer] of Object.entries(changed)) server.override(path, answer);
  return engineKinds[name].read(createProbeClient({ url: server.url, timeoutMs: 10_000 }), { mayStir: true });
}

test('ollama knows a model with and without :latest, and what is loaded with which context', async () => {
  const reading = await read('ollama');
  expect(reading.models).toEqual(
    new Map([
      ['llama3:latest', 'llama3:latest'],
      ['llama3', 'llama3:latest'],
      ['qwen3:8b', 'qwen3:8b'],
    ]),
  );
  expect(reading.loaded).toEqual(new Set(['qwen3:8b']));
  expect(reading.contextTokens).toEqual(new Map([['qwen3:8b', 4096]]));
  expect(reading).toMatchObject({ version: '0.13.1', slotsTotal: undefined, slotsBusy: undefined });
});

test('ollama keeps what is loaded unknown when its listing fails', async () => {
  const reading = await read('ollama', { '/api/ps': { status: 500, text: '' } });
  expect(reading).toMatchObject({ loaded: undefined, isLoadedHidden: true });
  expect(reading.models?.size).toBe(3);
});

test('vllm counts running and waiting requests, and takes contexts where a model has one', async () => {
  const reading = await read('vllm');
  expect(reading).toMatchObject({ slotsBusy: 5, slotsTotal: undefined, version: '0.11.2' });
  expect(reading.contextTokens).toEqual(new Map([['meta/llama', 32_768]]));
  expect(reading.loaded).toEqual(new Set(['meta/llama', 'adapter']));
});

test('vllm without statistics tells no load', async () => {
  expect((await read('vllm', { '/metrics': { text: 'python_info 1\n' } })).slotsBusy).toBeUndefined();
});

test('vllm whose engine process died is broken', async () => {
  await expect(read('vllm', { '/health': { status: 503, text: '' } })).rejects.toThrow(/\/health .*503/);
});

test('sglang adds up its ranks, and is not asked for its health, which would generate', async () => {
  expect(await read('sglang')).toMatchObject({ slotsTotal: 96, slotsBusy: 7, version: '0.5.6' });
  expect(server?.asked).not.toContain('/health');
});

test('sglang of an older version is asked under the older name', async () => {
  const reading = await read('sglang', {
    '/server_info': { status: 404, json: {} },
    '/get_server_info': { json: { max_running_requests: 24 } },
  });
  expect(reading.slotsTotal).toBe(24);
});

test('lmstudio tells loaded models with the context they were loaded with', async () => {
  const reading = await read('lmstudio');
  expect(reading.models?.size).toBe(2);
  expect(reading.loaded).toEqual(new Set(['qwen/qwen3.5-9b']));
  expect(reading.contextTokens).toEqual(new Map([['qwen/qwen3.5-9b', 8192]]));
});

test('openai without a model list is ready all the same', async () => {
  const reading = await read('openai', { '/v1/models': { status: 404, json: {} } });
  expect(reading).toMatchObject({ readiness: 'ready', models: undefined, loaded: undefined });
});
