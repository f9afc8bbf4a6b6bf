import { expect, test } from 'vitest';
import { configSchema } from '../../config/schema.ts';
import { checkNames } from './check-names.ts';

const config = configSchema.parse({
  scheduling: { modelLimits: { qwen3: 2, 'quen3-8b': 2 } },
  apiKeys: ['plain', { name: 'chat', key: 'k', models: ['qwen3-*', 'llama*', 'qwen3'] }],
});

test('checkNames finds names and patterns that nobody answers to, and the name that was meant', () => {
  expect(checkNames(config, new Set(['qwen3', 'qwen3-8b']))).toEqual([
    {
      level: 'warning',
      subject: 'scheduling.modelLimits',
      saw: "nobody has a model 'quen3-8b'",
      change: 'qwen3-8b in place of quen3-8b',
    },
    {
      level: 'warning',
      subject: 'apiKeys (chat).models',
      saw: "nobody has a model 'llama*'",
      change: 'remove llama* there',
    },
  ]);
});
