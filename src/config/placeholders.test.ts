import { describe, expect, test } from 'vitest';
import {
  escapePlaceholders,
  hiddenPlaceholder,
  hidePlaceholders,
  placeholderNames,
  resolvePlaceholders,
  showPlaceholders,
} from './placeholders.ts';

const env = { A: 'one', B: '', NESTED: '${env.A}', LINES: 'a\nb' };

describe('resolvePlaceholders', () => {
  test.each([
    ['${env.A}', 'one', ['A']],
    ['x-${env.A}-${env.A}', 'x-one-one', ['A']],
    ['${env.B}', '', ['B']],
    ['$${env.A}', '${env.A}', []],
    ['$${anything}', '${anything}', []],
    ['$$${env.A}', '$${env.A}', []],
    ['no $ placeholder {here}', 'no $ placeholder {here}', []],
    ['${not closed', '${not closed', []],
    ['${NESTED', '${NESTED', []],
    ['${a.b} ${} ${x:-y}', '${a.b} ${} ${x:-y}', []],
  ])('reads %j as %j', (written, text, variables) => {
    expect(resolvePlaceholders(hidePlaceholders(written), env)).toEqual({ text, variables, problems: [] });
  });

  test('does not look into the value of a variable', () => {
    expect(resolvePlaceholders(hidePlaceholders('${env.NESTED}'), env).text).toBe('${env.A}');
  });

  test.each([
    ['${env.NOPE}', "environment variable 'NOPE' is not set"],
    ['${env.LINES}', "environment variable 'LINES' contains newlines or null bytes"],
    ['${env.}', 'unknown placeholder: write ${env.NAME} for an environment variable, $${ for a plain ${'],
    ['${env.1A}', 'unknown placeholder: write ${env.NAME} for an environment variable, $${ for a plain ${'],
  ])('rejects %j', (written, problem) => {
    expect(resolvePlaceholders(hidePlaceholders(written), env).problems).toEqual([problem]);
  });
});

test.each(['${x}', '$${env.A}', 'a ${} ${b}', 'plain $ {text}', '${a b}'])(
  'escapePlaceholders keeps %j as it is',
  (text) => {
    const { text: read, problems } = resolvePlaceholders(hidePlaceholders(escapePlaceholders(text)), env);
    expect({ read, problems }).toEqual({ read: text, problems: [] });
  },
);

test('resolvePlaceholders leaves macros hidden', () => {
  const { text } = resolvePlaceholders(hidePlaceholders('${env.A} ${macro-1} $${macro-1}'), env);
  expect(placeholderNames(text)).toEqual(['macro-1']);
  expect(text).toBe(`one ${hiddenPlaceholder('macro-1')} \${macro-1}`);
});

test('hidePlaceholders does not take the marks of a text for its own', () => {
  expect(showPlaceholders(hidePlaceholders('a\uFDD0b\uFDD1'))).toBe('a\uFFFDb\uFFFD');
});

test('hidePlaceholders moves nothing and is undone by showPlaceholders', () => {
  const text = 'a: ${env.A} # ${x}\nb: [${env.B}, {c: d}]';
  expect(hidePlaceholders(text)).toHaveLength(text.length);
  expect(hidePlaceholders(text)).not.toContain('${');
  expect(showPlaceholders(hidePlaceholders(text))).toBe(text);
});
