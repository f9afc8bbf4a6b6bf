/** Names that callers invent leave no trace that grows with them: no label of a metric, no row of the accounts. */
import { expect, test } from 'vitest';
import { startScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { ask, chat } from '../integration/client.ts';
import { startRouter } from '../integration/start-router.ts';

test('a hundred models that nobody has share a row and a label', async () => {
  await using engine = await startScriptedEngine({ answer: () => ({ body: { choices: [] } }) });
  await using router = await startRouter({ backends: { one: { url: engine.url } } });
  await router.ready();
  const names = [
    '"\nllamero_forged 1',
    '__proto__',
    ...Array.from({ length: 98 }, (_, index) => `m${index}`),
  ];
  const answers = await Promise.all(names.map((model) => chat(router.url, { model }).answer));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
  const usage = (await ask(`${router.url}/api/usage/export?format=json`).answer).body.toString();
  const rows = JSON.parse(usage) as { readonly model: string; readonly requests: number }[];
  // A minute can end meanwhile.
  expect(rows.length).toBeLessThanOrEqual(2);
  expect(new Set(rows.map(({ model }) => model))).toEqual(new Set(['']));
  expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(100);
  const metrics = (await ask(`${router.url}/metrics`).answer).body.toString();
  const labels = new Set(Array.from(metrics.matchAll(/model="([^"]*)"/g), ([, label]) => label));
  expect(labels).toEqual(new Set(['unknown']));
  expect(metrics).not.toMatch(/^llamero_forged/m);
});
