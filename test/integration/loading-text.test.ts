import { describe, expect, test } from 'vitest';
import { ask } from './client.ts';
import { fakeCommand, withModels } from './fake-models.ts';
import { startRouter } from './start-router.ts';

const messages = [{ role: 'user', content: 'tell me of the river' }];

describe('sendLoadingState', () => {
  const chatPath = '/v1/chat/completions';
  const body = (model: string, more: object = {}) => ({
    model,
    messages,
    max_tokens: 4,
    stream: true,
    ...more,
  });

  test('LOAD-1, LOAD-2: tells of the load as reasoning, with a head of its own, before the answer itself', async () => {
    const models = await withModels({
      slow: { sendLoadingState: true, cmd: fakeCommand('slow', '--load-ms 1000') },
    });
    await using router = await startRouter(models);
    const answer = await ask(router.url + chatPath, { body: body('slow') }).answer;
    expect([answer.status, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([
      200,
      'text/event-stream',
      'no-cache',
    ]);
    const events = answer.body
      .toString()
      .split('\n\n')
      .filter((event) => event.startsWith('data: {'))
      .map((event) => JSON.parse(event.slice(6)) as { choices: { delta: Record<string, string> }[] });
    const reasoning = events.map(({ choices }) => choices[0]?.delta['reasoning_content'] ?? '').join('');
    expect(reasoning).toMatch(/^Loading model slow \.+\nDone \(\d+\.\d\d s\)\n\n$/);
    expect(answer.body.toString()).toMatch(/data: \[DONE\]\n\n$/);
    const again = await ask(router.url + chatPath, { body: body('slow') }).answer;
    expect(again.body.toString()).not.toContain('Loading model');
  });

  test.each([
    ['/v1/responses', { input: 'x' }],
    ['/v1/messages', {}],
    ['/v1/completions', { prompt: 'x' }],
  ])('LOAD-3: is a comment in %s, where a field would claim that the model said it', async (path, more) => {
    const models = await withModels({
      slow: { sendLoadingState: true, cmd: fakeCommand('slow', '--load-ms 300') },
    });
    await using router = await startRouter(models);
    const answer = await ask(router.url + path, { body: body('slow', more) }).answer;
    const text = answer.body.toString();
    expect(text).toMatch(/^: loading model slow\n\n/);
    expect(text).toMatch(/\n\n: loaded model slow in \d+\.\d\d s\n\n/);
    expect(text).not.toContain('reasoning_content');
    expect(answer.complete).toBe(true);
  });

  test('is silent for other models, and for answers in one piece', async () => {
    const models = await withModels({ quiet: {}, told: { sendLoadingState: true } });
    await using router = await startRouter(models);
    const quiet = await ask(router.url + chatPath, { body: body('quiet') }).answer;
    expect(quiet.body.toString()).not.toContain('oading');
    const whole = await ask(router.url + chatPath, { body: body('told', { stream: false }) }).answer;
    expect(whole.json()).toMatchObject({ object: 'chat.completion' });
  });

  test('ends with an error event when the load fails', async () => {
    const models = await withModels({ bad: { sendLoadingState: true, cmd: 'false ${PORT}' } });
    await using router = await startRouter(models);
    const answer = await ask(router.url + chatPath, { body: body('bad') }).answer;
    expect([answer.status, answer.complete]).toEqual([200, true]);
    expect(answer.body.toString()).toMatch(
      /data: \{"error":\{"message":"[^\n]*"code":"process_exited"\}\}\n\n$/,
    );
  });

  test('RTR-8: a request over the limit gets a plain 429 and no stream', async () => {
    const models = await withModels({
      one: { sendLoadingState: true, cmd: fakeCommand('one', '--load-ms 500'), concurrencyLimit: 1 },
    });
    await using router = await startRouter(models);
    const first = ask(router.url + chatPath, { body: body('one') });
    await first.head;
    const second = await ask(router.url + chatPath, { body: body('one') }).answer;
    expect(second.status).toBe(429);
    expect(second.headers['retry-after']).toMatch(/^\d+$/);
    expect(second.json()).toMatchObject({ error: { type: 'rate_limit_error' } });
    expect((await first.answer).complete).toBe(true);
  });
});
