/** A model is wanted while another one is busy with long streams: nobody is cut off. */
import { expect, test } from 'vitest';
import { chat, type Answer } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { loadsIn, pidsIn } from './model-log.ts';
import { startRouter, until } from './start-router.ts';

const streams = 6;
const tokens = 60;
const groups = { one: { swap: true, exclusive: true, members: ['a', 'b'] } };
const models = { a: { cmd: fakeCommand('a', `--slots ${streams} --tokens-per-s 40`) }, b: {} };
const stream = (url: string) =>
  chat(url, { model: 'a', stream: true, max_tokens: tokens, stream_options: { include_usage: true } });

/** Whether every token that the engine counted is there, and the end mark. */
function eventsOf({ status, complete, body }: Answer) {
  const events = body.toString().trimEnd().split('\n\n');
  const tokensSeen = events.filter((event) => event.includes('"content":"')).length;
  const tokensCounted = Number(/"completion_tokens":(\d+)/.exec(body.toString())?.[1]);
  return { status, complete, missing: tokensCounted - tokensSeen, last: events.at(-1) };
}

const whole = { status: 200, complete: true, missing: 0, last: 'data: [DONE]' };

test(`a swap waits for ${streams} running streams, and each of them is whole`, async () => {
  await using router = await startRouter(await withModels(models, { groups }));
  const running = Array.from({ length: streams }, () => stream(router.url));
  await Promise.all(running.map(({ head }) => head));
  let finished = 0;
  for (const { answer } of running) void answer.then(() => (finished += 1));
  const b = await chat(router.url, { model: 'b' }).answer;
  expect([b.status, finished]).toEqual([200, streams]);
  const answers = await Promise.all(running.map(({ answer }) => answer));
  expect(answers.map(eventsOf)).toEqual(Array.from({ length: streams }, () => whole));
  expect(loadsIn(router.logLines)).toEqual(['a', 'b']);
  expect(router.logLines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a model under streams that never pause is swapped after scheduling.maxWait, between two streams', async () => {
  await using router = await startRouter(
    await withModels(models, { groups, scheduling: { maxWait: '500ms' } }),
  );
  await chat(router.url, { model: 'a', max_tokens: 1 }).answer;
  const over = new AbortController();
  const answers: Answer[] = [];
  const keepBusy = async (index: number) => {
    // Not in step, so that there is no moment without a stream.
    await chat(router.url, { model: 'a', max_tokens: 1 + index * 8 }).answer;
    while (!over.signal.aborted) answers.push(await stream(router.url).answer);
  };
  const users = Array.from({ length: streams }, (_, index) => keepBusy(index));
  await until(() => answers.length > 0);
  const askedMs = performance.now();
  const b = await chat(router.url, { model: 'b' }).answer;
  const waitedMs = performance.now() - askedMs;
  over.abort();
  await Promise.all(users);
  expect(b.status).toBe(200);
  // The patience, one stream of 1.5 s that began just before, and a load.
  expect(waitedMs).toBeLessThan(8000);
  expect(answers.map(eventsOf)).toEqual(answers.map(() => whole));
  expect(loadsIn(router.logLines).slice(0, 3)).toEqual(['a', 'b', 'a']);
  expect(new Set(pidsIn(router.logLines)).size).toBe(pidsIn(router.logLines).length);
});
