/** RTG and MTX: what may be loaded together. The planners themselves are tested beside their files. */
import { describe, expect, test } from 'vitest';
import { createPlanner } from '../../src/config/resolve-routing.ts';
import { problems, resolved, warnings } from './load.ts';

const models =
  'models: { a: { cmd: "s ${PORT}", aliases: [x] }, b: { cmd: "s ${PORT}" }, c: { cmd: "s ${PORT}" } }\n';
const matrix = (text: string): string => `${models}matrix: ${text}\n`;
const holds = (text: string, together: readonly string[]): boolean =>
  createPlanner(resolved(text).routing).canHoldAll(together);

describe('RTG-1', () => {
  const groups = '{ g: { members: [a, b], swap: false, exclusive: false, persistent: true } }';
  const sets = '{ vars: { v: b }, evict_costs: { v: 5, a: 2 }, sets: { s: a & v } }';

  test.each([
    `groups: ${groups}`,
    `routing: { router: { use: group, settings: { groups: ${groups} } } }`,
    `routing: { router: { settings: { groups: ${groups}, matrix: { sets: { s: nonsense & } } } } }`,
  ])('%j has groups, and one for the rest', (text) => {
    expect(resolved(models + text).routing).toEqual({
      kind: 'group',
      groups: [
        { name: 'g', members: ['a', 'b'], swap: false, exclusive: false, persistent: true },
        { name: '(default)', members: ['c'], swap: true, exclusive: true, persistent: false },
      ],
    });
  });

  test.each([
    `matrix: ${sets}`,
    `routing: { router: { use: matrix, settings: { matrix: ${sets}, groups: ${groups} } } }`,
  ])('%j has a matrix', (text) => {
    const { routing } = resolved(models + text);
    expect(routing.kind).toBe('matrix');
    expect(routing.kind === 'matrix' && [...routing.evictCosts]).toEqual([
      ['b', 5],
      ['a', 2],
    ]);
    expect(holds(models + text, ['a', 'b'])).toBe(true);
    expect(holds(models + text, ['a', 'c'])).toBe(false);
  });

  test('a group may name models that are not there', () => {
    const text = `${models}groups: { g: { members: [a, ghost] } }`;
    expect(warnings(text)).toEqual(['groups.g.members[1]: no model config for "ghost": ignored']);
  });
});

test.each([
  ['groups: { g: {} }\nrouting: { router: {} }', 'migrate'],
  ['matrix: { sets: { s: a } }\nrouting: { router: { use: group } }', 'migrate'],
  ['routing: { router: { use: matrix } }', 'settings.matrix is not set'],
  ['groups: { g: {} }\nmatrix: { sets: { s: a } }', 'cannot use both'],
  ['routing: { router: { use: magic } }', 'must be one of group, matrix'],
  ['routing: { scheduler: { use: lottery } }', 'must be one of fifo'],
])('RTG-2 %j is refused', (text, message) => {
  const told = problems(models + text);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(message);
});

test('RTG-3 a priority is for a model that exists', () => {
  const priority = (map: string): string =>
    `${models}routing: { scheduler: { settings: { fifo: { priority: ${map} } } } }`;
  expect(problems(priority('{ a: 1, ghost: 2 }'))).toEqual([
    "routing.scheduler.settings.fifo.priority.ghost: priority for unknown model 'ghost'",
  ]);
  expect([...resolved(priority('{ b: 3 }')).priorities]).toEqual([['b', 3]]);
  // Better than llama-swap, where an alias passes and then has no effect.
  expect([...resolved(priority('{ x: 4 }')).priorities]).toEqual([['a', 4]]);
});

describe('MTX-1', () => {
  test.each([
    ['n'.repeat(32), true],
    ['a-b.c', true],
    ['n'.repeat(33), false],
    ['a_b', false],
    ['""', false],
  ])('the var %s is good: %j', (name, good) => {
    const told = problems(matrix(`{ vars: { ${name}: a }, sets: { s: b } }`));
    expect(told.length === 0, told.join()).toBe(good);
  });

  test('a var leads to a model and hides one of its name', () => {
    expect(problems(matrix('{ vars: { v: ghost }, sets: { s: v & a } }'))).toEqual([
      "matrix.vars.v: var 'v' references unknown model 'ghost'",
    ]);
    expect(problems(matrix('{ vars: { v: x }, sets: { s: v } }'))[0]).toContain("unknown model 'x'");
    const hiding = matrix('{ vars: { a: b, w: c }, sets: { s: a & w & b } }');
    expect(holds(hiding, ['b', 'c'])).toBe(true);
    expect(holds(hiding, ['a', 'c'])).toBe(false);
  });
});

test.each([
  [
    '{ evict_costs: { a: 0 }, sets: { s: a } }',
    "matrix.evict_costs.a: the evict cost of 'a' must be more than 0, is 0",
  ],
  [
    '{ evict_costs: { a: -2 }, sets: { s: a } }',
    "matrix.evict_costs.a: the evict cost of 'a' must be more than 0, is -2",
  ],
  [
    '{ evict_costs: { ghost: 2 }, sets: { s: a } }',
    "matrix.evict_costs.ghost: evict_costs names unknown var or model 'ghost'",
  ],
])('MTX-2 %s is refused', (text, problem) => {
  expect(problems(matrix(text))).toEqual([problem]);
});

test.each([
  ['a + b', "unexpected character '+' at position 2"],
  ['a @ b', "unexpected character '@' at position 2"],
])('MTX-3 %j is refused', (set, message) => {
  expect(problems(matrix(`{ sets: { s: "${set}" } }`))).toEqual([`matrix.sets.s: set 's': ${message}`]);
});

test.each([
  ['a', ['a', 'b'], false],
  ['a & b', ['a', 'b'], true],
  ['a | b', ['a', 'b'], false],
  ['(a | b) & c', ['b', 'c'], true],
  ['a | b & c', ['a', 'c'], false],
  ['a & a', ['a'], true],
  ['+base & c', ['a', 'b', 'c'], true],
])('MTX-4 %j holds %j: %j', (set, together, expected) => {
  expect(holds(matrix(`{ sets: { base: a & b, s: "${set}" } }`), together)).toBe(
    expected || together.every((name) => ['a', 'b'].includes(name)),
  );
});

test.each([
  ['{ sets: { s: "" } }', "matrix.sets.s: set 's': empty expression"],
  ['{ sets: { s: "(a" } }', "matrix.sets.s: set 's': missing closing parenthesis"],
  ['{ sets: { s: "a)" } }', "matrix.sets.s: set 's': unexpected token ')'"],
  ['{ sets: { s: "()" } }', "matrix.sets.s: set 's': unexpected token ')'"],
  ['{ sets: { s: ghost } }', "matrix.sets.s: set 's': unknown var or model 'ghost'"],
  ['{ sets: { s: "+t" } }', "matrix.sets.s: set 's': reference to undefined set 't'"],
  ['{ sets: { s: "+t", t: "+s" } }', "matrix.sets.s: set 's': circular reference through set 's'"],
  ['{ sets: {} }', 'matrix: matrix has no sets'],
])('MTX-5 %s is refused', (text, problem) => {
  const told = problems(matrix(text));
  expect(told).toHaveLength(1);
  expect(told[0]?.replace(/set 't'/g, "set 's'").replace('sets.t', 'sets.s')).toBe(
    problem.replace(/set 't'/g, "set 's'"),
  );
});

test('MTX-6 a product of a million combinations is checked at once', () => {
  const ids = Array.from({ length: 60 }, (_, index) => `n${index}`);
  const rows = Array.from({ length: 6 }, (_, row) => `(${ids.slice(row * 10, row * 10 + 10).join(' | ')})`);
  const text = `models: { ${ids.map((id) => `${id}: { cmd: "s \${PORT}" }`).join(', ')} }\nmatrix: { sets: { s: "${rows.join(' & ')}" } }\n`;
  expect(holds(text, ['n0', 'n10', 'n20', 'n30', 'n40', 'n50'])).toBe(true);
  expect(holds(text, ['n0', 'n1'])).toBe(false);
});

test('MTX-7 costs steer what is kept, and the first set wins a tie', () => {
  const evicted = (costs: string): readonly string[] =>
    createPlanner(resolved(matrix(`{ ${costs} sets: { one: c & a, two: c & b } }`)).routing).evictionFor(
      'c',
      ['a', 'b'],
    ).evict;
  expect(evicted('')).toEqual(['b']);
  expect(evicted('evict_costs: { b: 9 },')).toEqual(['a']);
});
