/** SEL, PRF and PEER: names beyond those of models. */
import { describe, expect, test } from 'vitest';
import { createModelNames } from '../../src/config/names.ts';
import { problems, resolved } from './load.ts';

const base = `
models:
  a: { cmd: "s \${PORT}", aliases: [x], filters: { setParamsByID: { "a:high": {} } } }
  b: { cmd: "s \${PORT}" }
peers:
  p: { proxy: "http://p", models: [remote, shared, deep/name] }
  q: { proxy: "http://q", models: [shared, other] }
`;
const selector = (body: string, id = 's'): string => `${base}selectors:\n  ${id}: { ${body} }\n`;
const profile = (pins: string): string => `${base}profiles:\n  f: { pins: ${pins} }\n`;

describe('SEL-1', () => {
  test('a selector has defaults', () => {
    const { selectors } = resolved(selector('strategy: pin, targets: [x]'));
    expect(selectors.get('s')).toEqual({
      id: 's',
      strategy: 'pin',
      targets: [{ kind: 'model', model: 'a', requested: 'x' }],
      spillover: 1,
      name: '',
      description: '',
      unlisted: false,
      metadata: {},
    });
  });

  test('a selector takes all fields', () => {
    const body =
      'strategy: spillover, targets: [b, remote], settings: { spillover: 4 }, name: N, description: D, unlisted: true, metadata: { k: [1] }';
    expect(resolved(selector(body)).selectors.get('s')).toMatchObject({
      targets: [
        { kind: 'model', model: 'b' },
        { kind: 'peer', peer: 'p', model: 'remote', requested: 'remote' },
      ],
      spillover: 4,
      name: 'N',
      description: 'D',
      unlisted: true,
      metadata: { k: [1] },
    });
  });

  test.each([
    ['strategy: pin, targets: [a]', '""', 'the ID must not be empty'],
    ['targets: [a]', 's', 'strategy: must be one of pin, warm, spillover'],
    ['strategy: magic, targets: [a]', 's', 'must be one of pin, warm, spillover'],
    ['strategy: pin', 's', 'targets must not be empty'],
    ['strategy: pin, targets: [ghost]', 's', "unknown target 'ghost'"],
    ['strategy: pin, targets: [shared]', 's', "unknown target 'shared'"],
    ['strategy: pin, targets: [s]', 's', "target 's' is a selector"],
    ['strategy: pin, targets: [b]', 'a', 'the ID is also a model ID'],
    ['strategy: pin, targets: [b]', 'x', 'the ID is also an alias'],
    ['strategy: pin, targets: [b]', '"a:high"', 'the ID is also an alias'],
    ['strategy: pin, targets: [b]', 'p/remote', 'is also a selector ID'],
    ['strategy: warm, targets: [a, p/remote]', 's', 'warm takes local models only'],
    ['strategy: spillover, targets: [a], settings: { spillover: 0 }', 's', 'spillover must be at least 1'],
    ['strategy: spillover, targets: [a, x]', 's', "target 'x' is the same model as one before it"],
    ['strategy: spillover, targets: [remote, p/remote]', 's', "target 'p/remote' is the same model"],
    ['strategy: spillover, targets: [a, b]', 's', 'cannot run at the same time'],
  ])('{ %s } as %s is refused', (body, id, message) => {
    const told = problems(selector(body, id));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(message);
  });

  test.each([
    ['matrix: { sets: { s: a | b } }', false],
    ['matrix: { sets: { s: a, t: b } }', false],
    ['groups: { g: { members: [a, b] } }', false],
    ['groups: { g: { members: [a], swap: false }, h: { members: [b], swap: false } }', false],
    ['matrix: { sets: { s: a & b } }', true],
    ['groups: { g: { members: [a, b], swap: false } }', true],
  ])('SEL-2 with %s, spillover over two local models is good: %j', (routing, good) => {
    const told = problems(`${selector('strategy: spillover, targets: [a, b]')}${routing}\n`);
    expect(told.length === 0, told.join()).toBe(good);
  });
});

test('SEL-2 a selector may have the bare name of a peer model, and remote targets', () => {
  const text = selector('strategy: spillover, targets: [p/remote, q/other, q/shared, p/shared, a]', 'remote');
  const found = createModelNames(resolved(text)).resolve('remote');
  expect(found?.kind).toBe('selector');
});

describe('PRF-1', () => {
  test('a pin leads to any name, or nowhere', () => {
    const pins =
      '{ one: a, two: x, three: "a:high", four: remote, five: q/shared, six: s, b: a, off: "", none: ~ }';
    const config = resolved(`${profile(pins)}selectors: { s: { strategy: pin, targets: [b] } }\n`);
    const active = config.profiles.get('f');
    const names = createModelNames(config);
    const kinds = ['one', 'two', 'three', 'four', 'five', 'six', 'b', 'off', 'none', 'a'].map((name) => {
      const found = names.resolve(name, active);
      return found?.kind === 'selector' ? `selector ${found.selector.id}` : found?.model;
    });
    expect(kinds).toEqual(['a', 'a', 'a', 'remote', 'shared', 'selector s', 'a', undefined, undefined, 'a']);
    expect(names.resolve('b')).toEqual({ kind: 'model', model: 'b' });
  });

  test.each([
    ['profiles: { f: [a, b] }', 'must be a map'],
    ['profiles: { f: {} }', 'must have at least one pin'],
    ['profiles: { f: { pins: { n: ghost } } }', "unknown target 'ghost'"],
    ['profiles: { f: { pins: { n: a, o: n } } }', "leads to another pin 'n'"],
    ['profiles: { f: { pins: { "": a } } }', 'must not be empty'],
    ['profiles: { f: { pins: { p/remote: a } } }', 'is the name of a peer model'],
  ])('%s is refused', (text, message) => {
    const told = problems(`${base}${text}\n`);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(message);
  });
});

describe('PEER-1', () => {
  test.each([
    ['{ models: [m] }', 'peers.p.proxy: is missing'],
    ['{ proxy: "", models: [m] }', 'peers.p.proxy: proxy is required'],
    ['{ proxy: "::", models: [m] }', 'peers.p.proxy: invalid proxy URL'],
    [
      '{ proxy: "ftp://p", models: [m] }',
      'peers.p.proxy: invalid proxy URL: must begin with http:// or https://',
    ],
    ['{ proxy: "http://p" }', 'peers.p.models: is missing'],
    ['{ proxy: "http://p", models: [] }', 'peers.p.models: must have at least 1 item, is empty'],
  ])('%s is refused', (peer, problem) => {
    expect(problems(`peers: { p: ${peer} }`)).toEqual([problem]);
  });

  test('a path stays, and filters are read', () => {
    const { peers } = resolved(
      'peers: { p: { proxy: "https://host/api/", models: [m], filters: { stripParams: "b,a", setParams: { x: { y: [1] } } } } }',
    );
    expect(peers.get('p')).toMatchObject({
      proxy: 'https://host/api',
      apiKey: undefined,
      filters: { stripParams: [['a'], ['b']], setParams: [{ path: ['x'], json: '{"y":[1]}' }] },
    });
  });
});

test.each([
  ['p/shared', { kind: 'peer', peer: 'p', model: 'shared' }],
  ['p/deep/name', { kind: 'peer', peer: 'p', model: 'deep/name' }],
  ['deep/name', { kind: 'peer', peer: 'p', model: 'deep/name' }],
  ['other', { kind: 'peer', peer: 'q', model: 'other' }],
  ['shared', undefined],
  ['q/remote', undefined],
])('PEER-2 %s is %j', (name, expected) => {
  expect(createModelNames(resolved(base)).resolve(name)).toEqual(expected);
});

test('PEER-2 a full name wins over a bare one, and local names over both', () => {
  const names = createModelNames(
    resolved(`
models: { m: { cmd: "s \${PORT}", aliases: [n] } }
peers:
  p: { proxy: "http://p", models: [m, n, k] }
  q: { proxy: "http://q", models: [p/k] }
`),
  );
  expect(names.resolve('p/k')).toEqual({ kind: 'peer', peer: 'p', model: 'k' });
  expect(names.resolve('q/p/k')).toEqual({ kind: 'peer', peer: 'q', model: 'p/k' });
  expect(names.resolve('m')).toEqual({ kind: 'model', model: 'm' });
  expect(names.resolve('n')).toEqual({ kind: 'model', model: 'm' });
  expect([...names.all()]).toEqual(['m', 'n', 'p/m', 'p/n', 'p/k', 'q/p/k', 'm', 'n', 'k', 'p/k']);
});

test.each([
  [
    'peers: { p/q: { proxy: "http://p", models: [r] }, p: { proxy: "http://q", models: [q/r] } }',
    "also a model of peer 'p/q'",
  ],
  [
    'models: { p/m: { cmd: "s ${PORT}" } }\npeers: { p: { proxy: "http://p", models: [m] } }',
    'also a model ID',
  ],
  [
    'models: { l: { cmd: "s ${PORT}", aliases: [p/m] } }\npeers: { p: { proxy: "http://p", models: [m] } }',
    "also an alias of model 'l'",
  ],
  [
    'models: { l: { cmd: "s ${PORT}", filters: { setParamsByID: { p/m: {} } } } }\npeers: { p: { proxy: "http://p", models: [m] } }',
    "also an alias of model 'l'",
  ],
  [
    'models: { l: { cmd: "s ${PORT}" } }\nselectors: { p/m: { strategy: pin, targets: [l] } }\npeers: { p: { proxy: "http://p", models: [m] } }',
    'also a selector ID',
  ],
  [
    'models: { l: { cmd: "s ${PORT}" } }\nprofiles: { f: { pins: { p/m: l } } }\npeers: { p: { proxy: "http://p", models: [m] } }',
    'is the name of a peer model',
  ],
])('PEER-3 %s is refused', (text, message) => {
  const told = problems(text);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(message);
});
