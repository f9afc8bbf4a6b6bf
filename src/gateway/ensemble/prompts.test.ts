import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { critiquePrompt, fillCritique, fillFinal, finalPrompt } from './prompts.ts';

describe('the prompt for a critic', () => {
  test('holds the question, the answer and its number', () => {
    const prompt = fillCritique(undefined, { question: 'Why?', answer: 'Because.', number: 2 });
    expect(prompt).toContain('<question>\nWhy?\n</question>');
    expect(prompt).toContain('<answer number="2">\nBecause.\n</answer>');
    expect(prompt).not.toMatch(/\{\w+\}/);
  });

  test('leaves alone what looks like a place in the words of others', () => {
    const material = { question: 'What is {answer}, and $&?', answer: '{question} $1', number: 1 };
    expect(fillCritique('{question}|{answer}|{other}', material)).toBe(
      'What is {answer}, and $&?|{question} $1|{other}',
    );
  });
});

describe('the prompt for the final answer', () => {
  test('holds every answer with its critiques', () => {
    const candidates = [
      { answer: 'one', critiques: ['good', 'bad'] },
      { answer: 'two', critiques: [] },
    ];
    expect(fillFinal('{candidates}', candidates)).toBe(
      '<answer number="1">\none\n</answer>\n<review of="1">\ngood\n</review>\n<review of="1">\nbad\n</review>\n\n<answer number="2">\ntwo\n</answer>',
    );
    expect(fillFinal(undefined, candidates)).not.toContain('{candidates}');
  });
});

test('the documentation shows the words that hold', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../../docs/ensembles.md'), 'utf8');
  expect(page).toContain(critiquePrompt);
  expect(page).toContain(finalPrompt);
});
