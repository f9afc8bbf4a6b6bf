/** Routers in one program, as tests of llamacpp-ha demand: what one of them counts is its own. */
import { expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { ask, chat } from '../integration/client.ts';
import { startRouter, until } from '../integration/start-router.ts';

test('what two routers count stays apart', async () => {
  const engine = await startFakeEngine();
  try {
    const config = { backends: { one: { url: engine.url } }, scheduling: { preset: 'llamacpp-ha' } };
    await using used = await startRouter(config);
    await using idle = await startRouter(config);
    await Promise.all([used.ready(), idle.ready()]);
    const feed = async (url: string) => (await ask(`${url}/monitor/data`).answer).json();
    expect((await chat(used.url, { max_tokens: 2 }).answer).status).toBe(200);
    await until(async () => (await feed(used.url))['total_requests'] === 1);
    expect(await feed(idle.url)).toMatchObject({ total_requests: 0 });
  } finally {
    await engine.close();
  }
});
