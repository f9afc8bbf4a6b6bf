import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { arbitraryConfig } from '../../test/fixtures/config/arbitrary-config.ts';
import { fixtureEnvironment } from '../../test/fixtures/config/environment.ts';
import { loadConfigText } from './load.ts';
import { formatProblem } from './problems.ts';

const fixtures = resolve(import.meta.dirname, '../../test/fixtures/config');
const texts = ['good', 'bad'].flatMap((folder) =>
  readdirSync(join(fixtures, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(fixtures, folder, name), 'utf8')),
);
texts.push(readFileSync(resolve(import.meta.dirname, '../../examples/llama-swap.yaml'), 'utf8'));
/** What tends to break readers of YAML. */
const snippets = [
  ...Array.from('[]{}:,-?#&*!|>\'"%@`\t\n '),
  '<<: ',
  '&a ',
  '*a',
  '${env.',
  '${env.WORD}',
  '${PORT}',
  '${MODEL_ID}',
  '${context}',
  '$${',
  '---\n',
  '\uFEFF',
  '\0',
  '~',
  '__proto__: ',
  '.inf',
  '1e999',
  '\uFDD0',
  '\r',
];
const secretsMax = { env: fixtureEnvironment, secret: 'confidential' };

function check(text: string): void {
  const result = loadConfigText({ file: 'f', text, env: secretsMax.env });
  if (result.ok) {
    expect(Object.isFrozen(result.config)).toBe(true);
    return;
  }
  const lines = text.split('\n').length;
  expect(result.problems.length).toBeGreaterThan(0);
  for (const problem of result.problems) {
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.line).toBeLessThanOrEqual(lines);
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(formatProblem(problem)).not.toMatch(/[\n\r\0\uFDD0\uFDD1]/);
    expect(formatProblem(problem)).not.toContain('Invalid');
    expect(formatProblem(problem)).not.toContain(secretsMax.secret);
  }
}

test('loadConfigText answers any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), check), { numRuns: 500 });
});

test('loadConfigText answers any sequence of YAML marks', () => {
  const text = fc.array(
    fc.constantFrom(...snippets, 'listen', 'backends', 'models', 'macros', 'cmd', 'a', '1'),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(text, (parts) => check(parts.join(''))),
    { numRuns: 1500 },
  );
});

test('loadConfigText answers damaged configuration files', () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 5 }),
    put: fc.constantFrom('', ...snippets),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (original, edits) => {
        let text = original;
        for (const { at, cut, put } of edits) {
          const offset = Math.floor(at * text.length);
          text = text.slice(0, offset) + put + text.slice(offset + cut);
        }
        check(text);
      },
    ),
    { numRuns: 1500 },
  );
});

test('loadConfigText answers values of any kind in place of the right one', () => {
  const junk = fc.oneof(
    fc.anything({ withNullPrototype: false, maxDepth: 2 }).filter(isPlainData),
    fc.string(),
  );
  fc.assert(
    fc.property(arbitraryConfig, fc.nat(), junk, (written, pick, value) => {
      const damaged = structuredClone(written) as Record<string, unknown>;
      const places = placesIn(damaged);
      const place = places[pick % Math.max(1, places.length)];
      if (place !== undefined) place.map[place.key] = value;
      check(stringify(damaged, { aliasDuplicateObjects: false }));
    }),
    { numRuns: 500 },
  );
});

function isPlainData(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value) || Array.isArray(value);
}

function placesIn(value: unknown): { map: Record<string, unknown>; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const map = value as Record<string, unknown>;
  return Object.keys(map).flatMap((key) => [{ map, key }, ...placesIn(map[key])]);
}
