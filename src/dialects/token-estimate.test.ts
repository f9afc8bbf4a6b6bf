import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ChatRequest, TextRequest } from './ir/request.ts';
import { estimateInputTokens, estimateTextTokens } from './token-estimate.ts';

const texts = {
  english:
    'The Yangtze is the longest river in Asia and the third longest in the world. Please write a function that computes the number of days between two dates, and explain briefly how you got there. ',
  german:
    'Der Jangtsekiang ist der längste Fluss Asiens und der drittlängste der Welt. Bitte schreibe eine Funktion, welche die Anzahl der Tage zwischen zwei Daten berechnet. Vielen Dank für die Unterstützung!',
  russian:
    'Янцзы — самая длинная река Азии и третья по длине река в мире. Пожалуйста, напишите функцию, которая вычисляет количество дней между двумя датами.',
  chinese:
    '长江是亚洲第一长河和世界第三长河,也是世界上完全在一国境内的最长河流。它发源于青藏高原的唐古拉山脉,流经十一个省级行政区,最终注入东海。人工智能模型可以在本地运行,请帮我写一个函数来计算两个日期之间的天数差。',
};

describe('a text', () => {
  // Counted with the vocabularies o200k_base and cl100k_base.
  test.each<[string, string, number, number]>([
    ['English', texts.english.repeat(3), 121, 121],
    ['German', texts.german.repeat(3), 141, 162],
    ['Russian', texts.russian.repeat(3), 123, 213],
    ['Chinese', texts.chinese.repeat(3), 249, 351],
    ['the license', readFileSync('LICENSE', 'utf8'), 2262, 2270],
    ['a hash', 'd41d8cd98f00b204e9800998ecf8427e 5d41402abc4b2a76b9719d911017c592 '.repeat(10), 381, 381],
  ])('in %s is guessed well enough', (_, text, large, small) => {
    const tokens = estimateTextTokens(text);
    expect(tokens).toBeGreaterThan(large * 0.85);
    expect(tokens).toBeLessThan(small * 1.15);
  });

  test('of nothing has no tokens', () => {
    expect(estimateTextTokens('')).toBe(0);
  });
});

const chat: ChatRequest = {
  kind: 'chat',
  dialect: 'openai-chat',
  model: 'm',
  stream: false,
  usageInStream: false,
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
  sampling: {},
  own: {},
  extra: {},
};

describe('a request', () => {
  test('has a few tokens around its text', () => {
    expect(estimateInputTokens(chat)).toBe(9);
  });

  test.each<[string, Partial<ChatRequest>, number]>([
    [
      'tools',
      {
        tools: [
          { kind: 'function', name: 'look', description: texts.english, parameters: { type: 'object' } },
        ],
      },
      50,
    ],
    [
      'pictures',
      {
        messages: [
          { role: 'user', parts: [{ kind: 'image', source: { kind: 'url', url: 'https://x/y.png' } }] },
        ],
      },
      1000,
    ],
    [
      'calls and results',
      {
        messages: [
          {
            role: 'assistant',
            parts: [{ kind: 'toolCall', id: 'a', name: 'look', arguments: JSON.stringify(texts) }],
          },
          {
            role: 'tool',
            parts: [{ kind: 'toolResult', callId: 'a', parts: [{ kind: 'text', text: texts.english }] }],
          },
        ],
      },
      200,
    ],
    [
      'files',
      {
        messages: [
          {
            role: 'user',
            parts: [
              {
                kind: 'document',
                source: { kind: 'base64', mediaType: 'application/pdf', data: 'A'.repeat(66_000) },
              },
            ],
          },
        ],
      },
      1500,
    ],
    ['a schema', { format: { kind: 'schema', schema: { description: texts.english } } }, 40],
  ])('counts %s', (_, members, least) => {
    const tokens = estimateInputTokens({ ...chat, ...members });
    expect(tokens).toBeGreaterThan(least);
    expect(tokens).toBeLessThan(least * 1.6 + 20);
  });

  test('for text counts every prompt, and tokens as what they are', () => {
    const { kind: _kind, messages: _messages, ...base } = chat;
    const ask = (prompt: TextRequest['prompt']) =>
      estimateInputTokens({ ...base, kind: 'text', raw: true, prompt });
    expect(ask([1, 2, 3])).toBe(6);
    expect(ask([[1, 2], [3]])).toBe(6);
    expect(ask([texts.english, texts.english])).toBeGreaterThan(ask(texts.english) * 1.8);
  });

  test('what nests without end is left out', () => {
    let schema: Record<string, unknown> = {};
    for (let depth = 0; depth < 100_000; depth += 1) schema = { schema };
    expect(estimateInputTokens({ ...chat, format: { kind: 'schema', schema } })).toBe(9);
  });
});
