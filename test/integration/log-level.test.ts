import { expect, test } from 'vitest';
import { ask, chat } from './client.ts';
import { startRouter } from './start-router.ts';

const written = (router: { readonly logLines: readonly Readonly<Record<string, unknown>>[] }): unknown[] =>
  router.logLines.filter(({ msg }) => msg === 'request');

test('log level can be changed while the router runs, by whoever may do everything', async () => {
  const keys = [
    { name: 'boss', key: 'k-boss', admin: 'full' },
    { name: 'reader', key: 'k-reader', admin: 'read' },
  ];
  const config = { apiKeys: keys, log: { level: 'error', format: 'json' } };
  await using router = await startRouter(config);
  const url = `${router.url}/api/log/level`;
  const as = (key: string) => ({
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  });
  const put = (key: string, body: object | string) => ask(url, { method: 'PUT', body, ...as(key) }).answer;
  const request = () => chat(router.url, {}, as('k-boss')).answer;

  await request();
  expect(written(router)).toHaveLength(0);
  expect((await put('k-reader', { level: 'info' })).status).toBe(403);
  expect((await ask(url, as('k-reader')).answer).json()).toEqual({ level: 'error' });
  const answer = await put('k-boss', { level: 'info' });
  expect([answer.status, answer.json()]).toEqual([200, { level: 'info' }]);
  await request();
  expect(written(router)).toHaveLength(1);
  for (const body of [{ level: 'loud' }, { level: 'info', more: 1 }, {}, 'nonsense']) {
    expect((await put('k-boss', body)).status).toBe(400);
  }
  expect((await ask(url, as('k-boss')).answer).json()).toEqual({ level: 'info' });
});

test('log level of the configuration comes into force with a reload', async () => {
  await using router = await startRouter({ log: { level: 'error', format: 'json' } });
  await router.reload({ log: { level: 'info', format: 'json' } });
  await chat(router.url).answer;
  expect(written(router)).toHaveLength(1);
  expect((await ask(`${router.url}/api/log/level`).answer).json()).toEqual({ level: 'info' });
});

test('log says what became of a request, and nothing of what was written in it', async () => {
  await using router = await startRouter({ apiKeys: ['k-hush'], log: { level: 'trace', format: 'json' } });
  const headers = { authorization: 'Bearer k-hush' };
  await chat(router.url, { messages: [{ role: 'user', content: 'whisper' }] }, { headers }).answer;
  expect(written(router)).toMatchObject([{ route: 'chat-completions', model: 'tiny', status: 503 }]);
  const all = JSON.stringify(router.logLines);
  expect(all).not.toContain('k-hush');
  expect(all).not.toContain('whisper');
});
