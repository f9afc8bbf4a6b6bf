import { expect, test } from 'vitest';
import { requestsSchema } from '../../src/admin/contract.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from './client.ts';
import { connectRaw } from './raw-client.ts';
import { startRouter, until } from './start-router.ts';

test('a request is seen reading, queued, waiting for its first byte, and streaming', async () => {
  const model = { id: 'tiny', contextTokens: 4096, promptTokensPerS: 50_000, tokensPerS: 20 };
  const engine = await startFakeEngine({ slots: 1, models: [model] });
  await using router = await startRouter({ backends: { one: { url: engine.url } } });
  await router.ready();
  const phases = async () => {
    const { queued, running } = requestsSchema.parse((await ask(`${router.url}/api/requests`).answer).json());
    return [...running, ...queued].map(({ phase }) => phase);
  };
  const seen = (wanted: string) => until(async () => (await phases()).includes(wanted as 'queued'));
  await engine.fault({ kind: 'delayHead', ms: 600, path: '/v1/chat/completions', times: 1 });
  const first = chat(router.url, { stream: true, max_tokens: 2000 });
  await seen('waiting');
  const second = chat(router.url);
  await seen('queued');
  using slow = await connectRaw(router.url);
  slow.socket.write('POST /v1/completions HTTP/1.1\r\nHost: r\r\nContent-Length: 9\r\n\r\n{');
  await seen('reading');
  await seen('streaming');
  slow.socket.destroy();
  second.leave();
  first.leave();
  await until(async () => (await phases()).length === 0);
  expect((await router.status()).backends[0]?.slots.own).toBe(0);
  await engine.close();
});
