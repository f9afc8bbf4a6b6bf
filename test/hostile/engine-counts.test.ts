/** An engine that counts nonsense spoils no account: its answer counts as one that told nothing, and the next one as told. */
import { expect, test } from 'vitest';
import { startScriptedEngine } from '../fake-engine/scripted-engine.ts';
import { ask, chat } from '../integration/client.ts';
import { startRouter } from '../integration/start-router.ts';

test('counts that no column can hold leave the accounts as they were', async () => {
  const lies = [
    { prompt_tokens: 1e308, completion_tokens: 1 },
    { prompt_tokens: 2 ** 63, completion_tokens: 1 },
    { prompt_tokens: 1.5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 1e300 } },
    { prompt_tokens: -5, completion_tokens: 1e307 },
  ];
  const truth = { prompt_tokens: 700, completion_tokens: 30 };
  await using engine = await startScriptedEngine({
    answer: (_, index) => ({
      body: {
        choices: [],
        usage: lies[index] ?? truth,
        timings: { prompt_n: 0.5, predicted_n: 1e99, draft_n: 0.1, draft_n_accepted: 0 },
      },
    }),
  });
  await using router = await startRouter({ backends: { one: { url: engine.url } } });
  await router.ready();
  for (let index = 0; index <= lies.length; index += 1) {
    expect((await chat(router.url, { model: 'm' }).answer).status).toBe(200);
  }
  const usage = await ask(`${router.url}/api/usage/export?format=json`).answer;
  const rows = JSON.parse(usage.body.toString()) as Record<string, number>[];
  const sumOf = (column: string): number => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0);
  expect([sumOf('requests'), sumOf('estimated_requests'), sumOf('output_tokens')]).toEqual([5, 4, 30]);
  expect(sumOf('input_tokens')).toBeLessThan(1000);
  const activity = (await ask(`${router.url}/api/metrics/activity`).answer).json();
  expect(activity).toMatchObject({ total: 5 });
  expect(router.logLines.filter(({ level }) => level === 'error')).toEqual([]);
});
