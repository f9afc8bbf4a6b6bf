/** The one key of a router of nomyo's, after the import. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeOllama, type FakeOllama } from '../fake-engine/fake-ollama.ts';
import { ask } from '../integration/client.ts';
import { until, type TestRouter } from '../integration/start-router.ts';
import { secret, startNomyo } from './nomyo-router.ts';

let ollama: FakeOllama;
let router: TestRouter;

beforeAll(async () => {
  ollama = await startFakeOllama({ models: ['llama3'] });
  router = await startNomyo({ endpoints: [ollama.url], router_api_key: 'any' });
});
afterAll(async () => {
  await router[Symbol.asyncDispose]();
  await ollama.close();
});

const chat = (headers: Readonly<Record<string, string>>) =>
  ask(`${router.url}/api/chat`, { body: { model: 'llama3', messages: [], stream: false }, headers }).answer;

describe('the key of a router', () => {
  test('is asked for, but not by the page that watches the fleet', async () => {
    expect((await chat({})).status).toBe(401);
    expect((await chat({ authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await chat({ authorization: `bearer ${secret}` })).status).toBe(200);
    for (const path of ['/monitor', '/monitor/data', '/health']) {
      expect([path, (await ask(router.url + path).answer).status]).toEqual([path, 200]);
    }
  });

  test('is in no line of the log', async () => {
    const lines = router.logLines.length;
    await chat({ authorization: `Bearer ${secret}` });
    await until(() => router.logLines.length > lines);
    expect(JSON.stringify(router.logLines)).not.toContain(secret);
  });
});
