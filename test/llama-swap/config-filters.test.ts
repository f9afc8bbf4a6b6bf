/** FIL: filters, capabilities, compatibility. */
import { describe, expect, test } from 'vitest';
import { modelOf, problems, resolved } from './load.ts';

const model = (keys: string): string => `models:\n  m: { cmd: "s \${PORT}", ${keys} }\n`;
const strip = (keys: string): unknown => modelOf(model(keys)).filters.stripParams;

test('FIL-1 stripParams are distinct, sorted, and never the model', () => {
  expect(strip('filters: { stripParams: " top_k, a.b ,, model, top_k,a.b" }')).toEqual([
    ['a', 'b'],
    ['top_k'],
  ]);
  expect(strip('filters: { strip_params: "x, y" }')).toEqual([['x'], ['y']]);
  expect(strip('filters: { stripParams: "x, ${more}" }, macros: { more: "w" }')).toEqual([['w'], ['x']]);
});

test('FIL-2 setParams are sorted, typed, and never the model', () => {
  const text = model(
    'filters: { setParams: { z: [1, 2.5], model: no, "a.b": { deep: { on: true, none: ~ } }, s: "7" } }',
  );
  expect(modelOf(text).filters.setParams).toEqual([
    { path: ['a', 'b'], json: '{"deep":{"on":true,"none":null}}' },
    { path: ['s'], json: '"7"' },
    { path: ['z'], json: '[1,2.5]' },
  ]);
  expect(modelOf(model('filters: { setParams: { model: no } }')).filters.setParams).toEqual([]);
  expect(problems(model('filters: { setParams: { a: .inf } }'))[0]).toContain('JSON');
});

test('FIL-2 numbers keep the digits they are written with, wherever they come from', () => {
  const text = `macros: { big: 9007199254740993 }
${model('filters: { setParams: { a: 12345678901234567890, b: 1e400, c: 0.1, d: 1.50, e: [-9007199254740993], f: +18446744073709551615, g: "${big}", h: ${env.SEED}, i: 0x10, j: 7 } }')}`;
  const params = modelOf(text, 'm', { SEED: '9223372036854775807' }).filters.setParams;
  expect(params.map(({ path, json }) => `${path.join('.')}=${json}`)).toEqual([
    'a=12345678901234567890',
    'b=1e400',
    'c=0.1',
    'd=1.50',
    'e=[-9007199254740993]',
    'f=18446744073709551615',
    'g=9007199254740993',
    'h=9223372036854775807',
    'i=16',
    'j=7',
  ]);
  const { metadata } = modelOf(model('metadata: { id: 9007199254740993 }'));
  expect(JSON.stringify(metadata)).toBe('{"id":9007199254740993}');
});

describe('FIL-3', () => {
  test('setParamsByID belong to a name, which becomes an alias', () => {
    const { aliases, filters } = modelOf(
      model(
        'aliases: [x], filters: { setParamsByID: { m: { b: 1, a: 2, model: no }, "m:high": { effort: high }, x: {} } }',
      ),
    );
    expect(aliases).toEqual(['x', 'm:high']);
    expect(filters.setParamsById.get('m')).toEqual([
      { path: ['a'], json: '2' },
      { path: ['b'], json: '1' },
    ]);
    expect(filters.setParamsById.get('m:high')).toEqual([{ path: ['effort'], json: '"high"' }]);
  });

  test('their names may not be those of other models', () => {
    const two = (names: string): string =>
      `models:\n  a: { cmd: "s \${PORT}", aliases: [x] }\n  b: { cmd: "s \${PORT}", filters: { setParamsByID: { ${names} } } }\n`;
    expect(problems(two('a: {}'))).toEqual([
      "models.b.filters.setParamsByID.a: filters.setParamsByID key 'a' conflicts with an existing model ID",
    ]);
    expect(problems(two('x: {}'))).toEqual([
      'models.b.filters.setParamsByID.x: duplicate alias x found in model: b',
    ]);
  });
});

describe('FIL-4', () => {
  test.each([
    ['', undefined],
    ['capabilities: { tools: false, reranker: false }', undefined],
    ['capabilities: { in: [], out: [], context: 0 }', undefined],
    [
      'capabilities: { in: [text, image] }',
      { in: ['text', 'image'], out: [], tools: false, reranker: false, context: 0 },
    ],
    ['capabilities: { tools: true }', { in: [], out: [], tools: true, reranker: false, context: 0 }],
  ])('%j declares %j', (keys, expected) => {
    expect(modelOf(model(keys)).capabilities).toEqual(expected);
  });

  test.each([
    [
      'in: [text, video]',
      "models.m.capabilities.in[1]: capabilities.in: invalid modality: must be text, audio or image, is 'video'",
    ],
    [
      'out: [smell]',
      "models.m.capabilities.out[0]: capabilities.out: invalid modality: must be text, audio or image, is 'smell'",
    ],
    ['context: -1', 'models.m.capabilities.context: must be at least 0, is -1'],
  ])('%s is refused', (keys, problem) => {
    expect(problems(model(`capabilities: { ${keys} }`))).toEqual([problem]);
  });
});

test('FIL-5 sendLoadingState is inherited where a model says nothing', () => {
  const sends = (keys: string): boolean => modelOf(`sendLoadingState: true\n${model(keys)}`).sendLoadingState;
  expect([sends(''), sends('sendLoadingState: ~'), sends('sendLoadingState: false')]).toEqual([
    true,
    true,
    false,
  ]);
});

test.each([
  ['', 0],
  ['concurrencyLimit: 10', 50],
  ['concurrencyLimit: 50', 50],
  ['concurrencyLimit: 60', 60],
])('FIL-6 comfyui_auto with %j takes %d requests', (keys, limit) => {
  const { models } = resolved(
    `models:\n  comfyui_auto: { cmd: "s \${PORT}", ${keys} }\n  other: { cmd: "s \${PORT}", ${keys} }\n`,
  );
  expect(models.get('comfyui_auto')).toMatchObject({ concurrencyLimit: limit, ignoreWebsockets: true });
  const own = keys === '' ? 0 : Number(keys.slice(-2));
  expect(models.get('other')).toMatchObject({ concurrencyLimit: own, ignoreWebsockets: false });
});
