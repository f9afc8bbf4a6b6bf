import { describe, expect, test } from 'vitest';
import { model, modelsConfig, peer, profile, selector } from '../../test/resolved-models.ts';
import type { ModelsConfig } from '../config/models.ts';
import { localHost, type BackendState, type LoadFailure } from '../domain/backend-view.ts';
import { LlameroError } from '../domain/errors.ts';
import type { Backend } from '../engines/backend.ts';
import { ActiveProfile } from './active-profile.ts';
import { Fleet } from './fleet.ts';
import { NameResolver, type Meaning } from './name-resolver.ts';

interface Known {
  readonly names: readonly string[];
  readonly state?: BackendState;
  readonly is?: 'process' | 'peer';
  readonly failure?: LoadFailure;
}

function backend(id: string, { names, state = 'live', is, failure }: Known): Backend {
  const [canonical = id] = names;
  const own = { host: localHost, generation: 0, ttlMs: 0, unloadTimeoutMs: 0, failure };
  return {
    id,
    isPeer: is === 'peer' ? true : undefined,
    view: {
      state,
      models: new Map(names.map((name) => [name, is === 'process' ? canonical : name])),
      process: is === 'process' ? own : undefined,
    },
  } as unknown as Backend;
}

function resolver(config: ModelsConfig, backends: Readonly<Record<string, Known>> = {}) {
  const known = new Map(Object.entries(backends).map(([id, one]) => [id, backend(id, one)]));
  const directory = { get: (id: string) => known.get(id), list: () => [...known.values()] };
  const fleet = new Fleet(directory);
  const active = new ActiveProfile(config.profiles);
  const names = new NameResolver({ models: () => config, profile: active, fleet, nowMs: () => 1000 });
  return {
    names,
    active,
    set(id: string, one: Known) {
      known.set(id, backend(id, one));
      fleet.changed();
    },
  };
}

function found(meaning: Meaning | LlameroError): Meaning {
  if (meaning instanceof LlameroError) throw meaning;
  return meaning;
}

describe('a model of our own', () => {
  const { names } = resolver(modelsConfig({ models: [model('qwen', { aliases: ['gpt', 'qwen:high'] })] }));

  test.each(['qwen', 'gpt', 'qwen:high'])('is known by its id whatever it is called: %s', (name) => {
    expect(found(names.lookUp(name))).toMatchObject({ model: 'qwen', requested: name, alternatives: [] });
  });

  test('an unknown name stands for itself', () => {
    expect(found(names.lookUp('other'))).toMatchObject({ model: 'other', requested: 'other' });
  });
});

describe('PEER-2 models of peers', () => {
  const config = modelsConfig({
    models: [model('local', { aliases: ['shared-alias'] })],
    peers: [
      peer('one', { models: ['only-one', 'both', 'local', 'shared-alias', 'two/both'] }),
      peer('two', { models: ['both', 'org/deep'] }),
    ],
  });
  const backends: Record<string, Known> = {
    'peer:one': { names: ['one/only-one', 'one/both', 'one/local'], is: 'peer' },
    'peer:two': { names: ['two/both', 'two/org/deep'], is: 'peer' },
    local: { names: ['local'], is: 'process' },
    plain: { names: ['only-plain', 'plain-too'] },
  };
  const { names } = resolver(config, backends);

  test.each([
    ['by their full name', 'one/both', 'one/both'],
    ['by their full name with slashes in it', 'two/org/deep', 'two/org/deep'],
    ['by a bare name that one peer has', 'only-one', 'one/only-one'],
    ['by a full name, although another peer has a model of that name', 'two/both', 'two/both'],
  ])('are found %s', (_name, requested, expected) => {
    expect(found(names.lookUp(requested)).model).toBe(expected);
  });

  test.each([
    ['a bare name that several have', 'both', 'both'],
    ['a name of a model of our own', 'local', 'local'],
    ['an alias of our own', 'shared-alias', 'local'],
  ])('are not meant by %s', (_name, requested, expected) => {
    expect(found(names.lookUp(requested)).model).toBe(expected);
  });

  test('are not meant by a name that a backend has', () => {
    const clash = resolver(modelsConfig({ peers: [peer('p', { models: ['m'] })] }), {
      plain: { names: ['m'] },
      'peer:p': { names: ['p/m'], is: 'peer' },
    });
    expect([found(clash.names.lookUp('m')).model, found(clash.names.lookUp('p/m')).model]).toEqual([
      'm',
      'p/m',
    ]);
  });

  test('may be had from another peer, the living first', () => {
    expect(found(names.lookUp('two/both'))).toMatchObject({ model: 'two/both', alternatives: ['one/both'] });
    const dead = resolver(config, {
      ...backends,
      'peer:two': { names: ['two/both'], is: 'peer', state: 'dead' },
    });
    expect(found(dead.names.lookUp('two/both'))).toMatchObject({
      model: 'one/both',
      alternatives: ['two/both'],
    });
  });
});

describe('SRV-15 pins of the active profile', () => {
  const config = modelsConfig({
    models: [model('qwen', { aliases: ['qwen:high'] }), model('small')],
    peers: [peer('p', { models: ['m'] })],
    selectors: [
      selector('any', { strategy: 'pin', targets: [{ kind: 'model', model: 'small', requested: 'small' }] }),
    ],
    profiles: [
      profile('day', {
        gpt: 'qwen:high',
        small: 'qwen',
        off: undefined,
        far: 'm',
        auto: 'any',
        chain: 'gpt',
      }),
    ],
  });
  const { names, active } = resolver(config, {
    small: { names: ['small'], is: 'process', state: 'stopped' },
    'peer:p': { names: ['p/m'], is: 'peer' },
  });
  active.choose('day');

  test.each([
    ['an alias, whose name the request takes over', 'gpt', { model: 'qwen', requested: 'qwen:high' }],
    ['instead of a model that exists', 'small', { model: 'qwen', requested: 'qwen' }],
    ['a model of a peer', 'far', { model: 'p/m', requested: 'm' }],
    ['a selector', 'auto', { model: 'small', requested: 'small', selector: 'any' }],
    ['never another pin', 'chain', { model: 'gpt', requested: 'gpt' }],
    ['and what has no pin stays', 'qwen:high', { model: 'qwen', requested: 'qwen:high' }],
  ])('lead to %s', (_name, requested, expected) => {
    expect(found(names.lookUp(requested))).toMatchObject(expected);
  });

  test('a disabled name is refused and says by which profile', () => {
    const refused = names.lookUp('off');
    expect(refused).toMatchObject({
      code: 'model_not_found',
      message: "Model 'off' is disabled by the profile 'day'",
    });
  });

  test('nothing is pinned while no profile is active', () => {
    active.choose(undefined);
    expect(found(names.lookUp('small')).model).toBe('small');
    active.choose('day');
  });
});

describe('SRV-16 selectors', () => {
  const target = (name: string) => ({ kind: 'model', model: name, requested: name }) as const;
  const config = modelsConfig({
    models: [model('a', { aliases: ['a:fast'] }), model('b')],
    peers: [peer('p', { models: ['m'] })],
    selectors: [
      selector('warm', { strategy: 'warm', targets: [target('a'), target('b')] }),
      selector('alias', { strategy: 'pin', targets: [{ kind: 'model', model: 'a', requested: 'a:fast' }] }),
      selector('spill', {
        strategy: 'spillover',
        targets: [target('a'), { kind: 'peer', peer: 'p', model: 'm', requested: 'm' }],
      }),
    ],
  });
  const process = (name: string, state: BackendState, failure?: LoadFailure): Known => ({
    names: [name],
    is: 'process',
    state,
    ...(failure !== undefined && { failure }),
  });

  test('warm follows what is loaded now', () => {
    const it = resolver(config, { a: process('a', 'stopped'), b: process('b', 'starting') });
    expect(found(it.names.lookUp('warm'))).toMatchObject({ model: 'b', requested: 'b', selector: 'warm' });
    it.set('a', process('a', 'live'));
    expect(found(it.names.lookUp('warm')).model).toBe('a');
  });

  test('a target that is an alias keeps its name for parameters of its own', () => {
    const { names } = resolver(config, { a: process('a', 'stopped') });
    expect(found(names.lookUp('alias'))).toMatchObject({ model: 'a', requested: 'a:fast' });
  });

  test('spillover goes from our own model to a peer and back once released', () => {
    const { names } = resolver(config, { a: process('a', 'live'), p: { names: ['p/m'], is: 'peer' } });
    const first = found(names.lookUp('spill'));
    expect([first.model, found(names.lookUp('spill')).model]).toEqual(['a', 'p/m']);
    first.release();
    expect(found(names.lookUp('spill')).model).toBe('a');
  });

  test.each<[string, Known]>([
    ['is being stopped', process('a', 'stopping')],
    ['is dead', process('a', 'dead')],
    [
      'crashed and is left alone',
      process('a', 'stopped', { code: 'process_exited', message: '', retryAtMs: 2000 }),
    ],
  ])('spillover has nothing while its model %s and its peer is dead', (_name, own) => {
    const { names } = resolver(config, { a: own, p: { names: ['p/m'], is: 'peer', state: 'dead' } });
    expect(names.lookUp('spill')).toMatchObject({
      code: 'no_backend',
      message: "Selector 'spill' has no available spillover targets",
    });
  });
});

test('the nearest name is looked for among all: models, aliases, peers, selectors, pins, backends', () => {
  const { names, active } = resolver(
    modelsConfig({
      models: [model('qwen-large', { aliases: ['alias-of-it'] })],
      peers: [peer('peerless', { models: ['model-there'] })],
      selectors: [
        selector('selector-one', {
          strategy: 'pin',
          targets: [{ kind: 'model', model: 'm', requested: 'm' }],
        }),
      ],
      profiles: [profile('day', { 'pinned-name': 'qwen-large', 'qwen-large': undefined })],
    }),
    { plain: { names: ['plain-model'] } },
  );
  active.choose('day');
  const near = [
    'alias-of-itt',
    'peerless/model-ther',
    'selector-on',
    'pinned-nam',
    'plain-mode',
    'qwen-larg',
  ];
  expect(near.map((name) => names.nearest(name))).toEqual([
    'alias-of-it',
    'peerless/model-there',
    'selector-one',
    'pinned-name',
    'plain-model',
    undefined,
  ]);
});
