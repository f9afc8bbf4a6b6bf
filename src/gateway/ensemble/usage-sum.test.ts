import { describe, expect, test } from 'vitest';
import type { AnswerContext } from '../../dialects/dialect.ts';
import { dialects } from '../../dialects/index.ts';
import type { AnswerEvent } from '../../dialects/ir/answer.ts';
import { AnswerFold, isEngineError } from '../../dialects/ir/whole-answer.ts';
import { UsageSum, withUsageBefore } from './usage-sum.ts';

const used = { inputTokens: 10, outputTokens: 3, cachedTokens: 4, estimated: false };

describe('the usage of several requests', () => {
  test('is the sum of what their engines tell', () => {
    const usage = new UsageSum();
    usage.add(used);
    usage.add(undefined);
    usage.add({ ...used, reasoningTokens: 2 });
    expect(usage.sum).toMatchObject({
      inputTokens: 20,
      outputTokens: 6,
      cachedTokens: 8,
      reasoningTokens: 2,
    });
  });

  test('says nothing of caches and thoughts that no engine tells of', () => {
    const usage = new UsageSum();
    usage.add({ ...used, cachedTokens: 0, cacheUnknown: true });
    expect(usage.sum).not.toHaveProperty('cachedTokens');
    expect(usage.sum).not.toHaveProperty('reasoningTokens');
  });
});

describe('an answer after others', () => {
  const before = { inputTokens: 100, outputTokens: 50 };
  const context: AnswerContext = {
    request: dialects['anthropic-messages'].readRequest({
      model: 'm',
      max_tokens: 1,
      messages: [{ role: 'user', content: 'x' }],
    }),
    model: 'm',
    requestId: 'r',
    arrivedMs: 0,
    nowMs: () => 0,
  };
  const events: readonly AnswerEvent[] = [
    { kind: 'started', usage: { inputTokens: 7, outputTokens: 1 } },
    { kind: 'text', choice: 0, text: 'x' },
    { kind: 'finished', choice: 0, reason: { kind: 'stop' } },
    { kind: 'usage', usage: { inputTokens: 7, outputTokens: 2 } },
    { kind: 'ended' },
  ];

  test('tells the usage of all at the beginning and at the end of its stream', () => {
    const writer = withUsageBefore(dialects['anthropic-messages'], before).createStreamWriter(context);
    const text = events.map((event) => writer.write(event)).join('');
    const counts = [...text.matchAll(/"(in|out)put_tokens":(\d+)/g)].map(([, way, count]) => [way, count]);
    expect(counts).toEqual([
      ['in', '107'],
      ['out', '51'],
      ['in', '107'],
      ['out', '52'],
    ]);
  });

  test('tells the usage of all when it is not streamed, and none where its engine tells none', () => {
    const write = (wanted: readonly AnswerEvent[]) => {
      const fold = new AnswerFold();
      for (const event of wanted) fold.add(event);
      const whole = fold.finish();
      if (isEngineError(whole)) throw new Error(whole.message);
      return withUsageBefore(dialects['openai-chat'], before).writeAnswer(whole, context);
    };
    expect(write(events)['usage']).toMatchObject({ prompt_tokens: 107, completion_tokens: 52 });
    const silent = events.filter(({ kind }) => kind !== 'usage' && kind !== 'started');
    expect(write([{ kind: 'started' }, ...silent])).not.toHaveProperty('usage.prompt_tokens', 100);
  });
});
