import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { importableSystems } from './systems.ts';
import type { ImportableSystem } from './systems.ts';
import { loadImported } from './verify-import.ts';

const fixtures = resolve(import.meta.dirname, '../../../test/fixtures/import');
const texts = readdirSync(fixtures)
  .filter((name) => /\.(?:ya?ml|json|env)$/.test(name))
  .map((name) => ({ file: name, text: readFileSync(join(fixtures, name), 'utf8') }));

const snippets = [
  ...Array.from('[]{}:,-?#&*!|>\'"%@`\t\n $='),
  '${OPENAI_KEY}',
  '${env.HOME}',
  '$${x}',
  '<<: ',
  '*a',
  '&a ',
  'null',
  '-1',
  '1e999',
  '0.00001',
  '__proto__',
  'constructor',
  'http://',
  ':11434',
  '/v1',
  '?key=1',
  '\uFDD0',
  '\uD800',
  '\0',
  '\u2028',
];

function check(system: ImportableSystem, input: Parameters<ImportableSystem['run']>[0]): boolean {
  const result = system.run(input);
  if (!result.ok) {
    expect(result.problems.length).toBeGreaterThan(0);
    for (const { line, column } of result.problems) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(column).toBeGreaterThanOrEqual(1);
    }
    return false;
  }
  const loaded = loadImported(result);
  expect(loaded.ok ? [] : [result.yaml, loaded.problems]).toEqual([]);
  for (const { key, value, why } of result.notes) {
    expect(`${key}${value ?? ''}${why}`).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  }
  return true;
}

const url = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc
    .tuple(
      fc.constantFrom('http', 'https', 'HTTP', 'ftp'),
      fc.constantFrom(
        'a',
        'localhost',
        '127.0.0.1',
        '[::1]',
        'u:p@h',
        '0.0.0.0',
        'constructor',
        '_x_',
        '${A}',
      ),
      fc.constantFrom('', ':11434', ':12434', ':8700', ':99999', ':80'),
      fc.constantFrom('', '/', '/v1', '/v1/', '/api/v1', '/v1beta', '//v1//', '/${x}', '/%24%7Bx%7D', '?a=b'),
    )
    .map(([scheme, host, port, path]) => `${scheme}://${host}${port}${path}`),
  fc.constantFrom('${SERVER}', '', 'http://'),
);
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('${KEY}', '${env.KEY}', 'a:1,b:2', '0.0.0.0', '30', 'true', '9007199254740993', 'x\ny'),
  url,
);
const anything = fc.oneof(scalar, fc.array(url, { maxLength: 5 }), fc.jsonValue({ maxDepth: 3 }));
const counts = fc.dictionary(fc.oneof(fc.string({ unit: 'binary' }), url), fc.integer({ min: -1, max: 9 }));

const text = fc.string({ unit: 'binary' });
const servers = fc.record(
  { url, api_key: text, max_models: fc.integer(), max_modles: scalar },
  { requiredKeys: ['url'] },
);
const limits = fc.record(
  { max_concurrent_connections: fc.integer({ min: -1, max: 1e6 }), weight: scalar },
  { requiredKeys: [] },
);

/** Values of the right kind, by system and key; most others are numbers. */
const rightKinds: readonly (readonly [RegExp, fc.Arbitrary<unknown>])[] = [
  [/endpoints$/, fc.array(url, { maxLength: 6 })],
  [/ backends$/, fc.array(servers, { maxLength: 5 })],
  [/ model_limits$/, counts],
  [
    /^nomyo api_keys$/,
    fc.oneof(fc.dictionary(url, text), fc.dictionary(url, fc.constantFrom('${A}', '${A_API_KEY}'))),
  ],
  [/ endpoint_config$/, fc.dictionary(url, limits)],
  [/ (?:priority_routing|conversation_affinity|cache_enabled)$/, fc.boolean()],
  [/^llamacpp-ha api_keys$/, fc.array(text, { maxLength: 4 })],
  [/host|api.key|path|url$/i, fc.oneof(text, fc.constantFrom('::1', '127.0.0.1', '${A}'))],
  [
    / OLLAMA_SERVERS$/,
    fc
      .array(fc.constantFrom('a:1', 'b:2', 'localhost:11434', ' c:3'), { maxLength: 5 })
      .map((all) => all.join(',')),
  ],
];

function right(place: string): fc.Arbitrary<unknown> {
  const kind = rightKinds.find(([pattern]) => pattern.test(place));
  return kind?.[1] ?? fc.oneof(fc.integer({ min: -1, max: 100_000 }), fc.constantFrom(0, 1, 30));
}

describe.each(importableSystems)('the importer of $name', (system) => {
  const names = [...new Set(system.keys.flatMap(({ name, spellings = [] }) => [name, ...spellings]))];
  const document = fc.record(
    Object.fromEntries(
      names.map((name) => [
        name,
        fc.oneof({ weight: 60, arbitrary: right(`${system.name} ${name}`) }, anything),
      ]),
    ),
    { requiredKeys: [] },
  );

  test('answers any file, and what it makes loads', () => {
    let good = 0;
    fc.assert(
      fc.property(document, fc.boolean(), (written, isJson) => {
        const variables = Object.entries(written).map(
          ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}\n`,
        );
        const isEnv = system.name === 'ollama-lb';
        const content = isEnv ? variables.join('') : isJson ? JSON.stringify(written) : stringify(written);
        if (check(system, { main: { file: 'f', text: content }, env: undefined })) good += 1;
      }),
      { numRuns: 300 },
    );
    expect(good).toBeGreaterThan(50);
  });

  test('answers any text, and what it makes loads', () => {
    const edit = fc.tuple(fc.nat(), fc.nat(20), fc.oneof(fc.constantFrom(...snippets), fc.string()));
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(edit, { maxLength: 6 }),
        fc.constantFrom(undefined, ...texts),
        (original, edits, env) => {
          let edited = original.text;
          for (const [at, length, insert] of edits) {
            const start = at % (edited.length + 1);
            edited = edited.slice(0, start) + insert + edited.slice(start + length);
          }
          check(system, { main: { ...original, text: edited }, env });
        },
      ),
      { numRuns: 400 },
    );
  });
});
