/** MRG: several files as one. MRG-1, MRG-2 and MRG-7 are in read-files.test.ts. */
import { describe, expect, test } from 'vitest';
import { load, problems, resolved } from './load.ts';

test.each([
  ['models', 'models: { x: { cmd: "s ${PORT}" } }'],
  ['groups', 'groups: { x: {} }'],
  ['peers', 'peers: { x: { proxy: "http://p", models: [m] } }'],
  ['selectors', 'selectors: { x: { strategy: pin, targets: [p/m] } }'],
  ['profiles', 'profiles: { x: { pins: { a: ~ } } }'],
  ['backends', 'backends: { x: { url: "http://b" } }'],
  ['routing.router.settings.groups', 'routing: { router: { settings: { groups: { x: {} } } } }'],
  ['matrix.sets', 'matrix: { sets: { x: m } }'],
])('MRG-3 the same key of %s in two files is refused', (where, text) => {
  const told = problems([text, text]);
  expect(told).toContain(`${where}.x: duplicate ${where} "x" found in a.yaml and b.yaml`);
});

describe('MRG-4', () => {
  test.each([
    [
      'globalTTL: 1',
      'globalTTL: 2',
      'globalTTL: conflict at "globalTTL": a.yaml and b.yaml have different values',
    ],
    [
      'apiKeys: [a]',
      'apiKeys: b',
      'apiKeys: conflict at "apiKeys": a.yaml and b.yaml have incompatible YAML node kinds',
    ],
    [
      'macros: { a: 1 }',
      'macros: { a: 2 }',
      'macros.a: conflict at "macros.a": a.yaml and b.yaml have different values',
    ],
    [
      'drain: { timeout: 1 }',
      'drain: 5',
      'drain: conflict at "drain": a.yaml and b.yaml have incompatible YAML node kinds',
    ],
  ])('%j and %j contradict each other', (first, second, problem) => {
    expect(problems([first, second])).toEqual([problem]);
  });

  test('equal values and empty ones do not', () => {
    expect(load(['globalTTL: 7', 'globalTTL: 7', 'globalTTL:']).globalTTL).toBe(7000);
    expect(load(['globalTTL:', 'globalTTL: 7']).globalTTL).toBe(7000);
    expect(load(['x-any: 1', 'x-any: [2]', '']).models).toEqual({});
  });
});

test('MRG-5 lists and maps are joined, and a macro works in every file', () => {
  const texts = [
    'macros: { run: "s ${PORT}" }\napiKeys: [k1]\nrouting: { router: { settings: { groups: { g: { members: [a] } } } } }',
    'macros: { more: "${run} --more" }\napiKeys: [k2]\nmodels: { a: { cmd: "${more}" }, b: { cmd: "${run}" } }\nrouting: { router: { settings: { groups: { h: { members: [b] } } } } }',
  ];
  expect(load(texts).apiKeys).toEqual(['k1', 'k2']);
  const { models, routing } = resolved(texts);
  expect(models.get('a')?.cmd).toBe('s 5800 --more');
  expect(routing.kind === 'group' && routing.groups.map(({ name }) => name)).toEqual(['g', 'h']);
});

test('MRG-6 a variable may stand in a flow list without quotes', () => {
  expect(load('apiKeys: [${env.ONE}, ${env.TWO}]', { ONE: 'k1', TWO: 'k2' }).apiKeys).toEqual(['k1', 'k2']);
});

test('a problem is told at its place in its file', () => {
  expect(problems(['globalTTL: 1\n', 'models: &m\n  a: { cmd: "s ${PORT}", ttl: *m }\n'])[0]).toContain(
    'models.a.ttl',
  );
});
