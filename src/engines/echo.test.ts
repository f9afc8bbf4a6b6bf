import { expect, test } from 'vitest';
import { isRoutersList, routersBehind, withoutEcho } from './echo.ts';
import { silentReading } from './kinds/probing.ts';

const via = (...names: readonly string[]) => ({ llamero: { backends: [], loaded: true, via: names } });

test('what an engine has from us is not taken for its own, under any name', () => {
  const reading = {
    ...silentReading,
    models: new Map([
      ['a', 'a'],
      ['alias', 'a'],
      ['b', 'b'],
      ['c', 'c'],
    ]),
    loaded: new Set(['a', 'b']),
    modelObjects: new Map<string, Readonly<Record<string, unknown>>>([
      ['a', via('llamero-me', 'llamero-it')],
      ['b', via('llamero-it')],
      ['c', {}],
    ]),
  };
  const { models, loaded, modelObjects } = withoutEcho(reading, 'llamero-me');
  expect([...(models?.keys() ?? [])]).toEqual(['b', 'c']);
  expect([...(loaded ?? [])]).toEqual(['b']);
  expect([...(modelObjects?.keys() ?? [])]).toEqual(['b', 'c']);
  expect(withoutEcho(reading, 'llamero-other')).toBe(reading);
  expect(withoutEcho(silentReading, 'llamero-me')).toBe(silentReading);
});

test.each([
  [undefined],
  [{}],
  [{ llamero: null }],
  [{ llamero: 'via' }],
  [{ llamero: { via: 'x' } }],
  [{ llamero: { via: [1] } }],
])('in %j there are no routers', (object) => {
  expect(routersBehind(object)).toEqual([]);
});

test('the list of a router is told from others', () => {
  expect([{ data: [], llamero: {} }, { data: [] }, undefined, null, 'llamero'].map(isRoutersList)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});
