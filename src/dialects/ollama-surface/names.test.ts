import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalName, OllamaNames, taggedName } from './names.ts';

test.each([
  ['llama3', 'llama3:latest'],
  ['llama3:8b', 'llama3:8b'],
  ['hf.co/org/repo', 'hf.co/org/repo:latest'],
  ['localhost:5000/org/repo', 'localhost:5000/org/repo:latest'],
  ['localhost:5000/org/repo:q4', 'localhost:5000/org/repo:q4'],
])('%s is shown as %s', (name, shown) => {
  expect(taggedName(name)).toBe(shown);
});

test.each([
  ['registry.ollama.ai/library/llama3', 'llama3:latest'],
  ['library/llama3:latest', 'llama3:latest'],
  ['huggingface.co/org/repo:Q8_0', 'hf.co/org/repo:Q8_0'],
  ['unsloth/gpt-oss-20b-GGUF:F16', 'unsloth/gpt-oss-20b-GGUF:F16'],
])('%s has the key %s', (name, key) => {
  expect(canonicalName(name)).toBe(key);
});

describe('a name', () => {
  const fleet = new OllamaNames([
    'llama3:latest',
    'tiny',
    'both',
    'both:latest',
    'qwen3:8b',
    'Qwen3:8B',
    'ggml-org/gemma-3-4b-it-GGUF:Q4_K_M',
    'org/many-GGUF:Q8_0',
    'org/many-GGUF:q4_k_m',
    'org/others:F16',
    'org/others:Q8_0',
    'hf.co/ns/coder-GGUF:Q5_K_M',
  ]);

  test.each([
    ['tiny', 'tiny'],
    ['tiny:latest', 'tiny'],
    ['llama3', 'llama3:latest'],
    ['registry.ollama.ai/library/llama3', 'llama3:latest'],
    ['both', 'both'],
    ['both:latest', 'both:latest'],
    ['TINY', 'tiny'],
    ['Qwen3:8B', 'Qwen3:8B'],
    ['QWEN3:8b', undefined],
    ['qwen3', undefined],
    ['llama3:8b', undefined],
    ['tiny:latest:latest', undefined],
    ['hf.co/ggml-org/gemma-3-4b-it-GGUF:Q4_K_M', 'ggml-org/gemma-3-4b-it-GGUF:Q4_K_M'],
    ['huggingface.co/ggml-org/gemma-3-4b-it-gguf:q4_k_m', 'ggml-org/gemma-3-4b-it-GGUF:Q4_K_M'],
    ['ggml-org/gemma-3-4b-it-GGUF', 'ggml-org/gemma-3-4b-it-GGUF:Q4_K_M'],
    ['gemma-3-4b-it-GGUF', undefined],
    ['ggml-org/gemma-3-4b-it-GGUF:Q8_0', undefined],
    ['org/many-GGUF', 'org/many-GGUF:q4_k_m'],
    ['org/others', undefined],
    ['ns/coder-GGUF:Q5_K_M', 'hf.co/ns/coder-GGUF:Q5_K_M'],
    ['', undefined],
    [':latest', undefined],
  ])('%j means %j', (name, found) => {
    expect(fleet.find(name)).toBe(found);
  });

  test('that is known always means itself, and so does the name it is shown under', () => {
    const names = fc.array(fc.stringMatching(/^[a-zA-Z]{1,2}(\/[a-zA-Z]{1,2})?(:[a-z0-9]{1,2}|:latest)?$/), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(names, (known) => {
        const index = new OllamaNames(known);
        for (const name of known) {
          expect(index.find(name)).toBe(name);
          expect(canonicalName(index.find(taggedName(name)) ?? '')).toBe(canonicalName(name));
        }
      }),
    );
  });
});
