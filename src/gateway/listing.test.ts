import { describe, expect, test } from 'vitest';
import { model, modelsConfig, peer, profile, selector } from '../../test/resolved-models.ts';
import type { ModelsConfig } from '../config/models.ts';
import type { BackendState } from '../domain/backend-view.ts';
import type { Backend } from '../engines/backend.ts';
import { ActiveProfile } from './active-profile.ts';
import { Fleet } from './fleet.ts';
import { findModel, listModels } from './listing.ts';
import { NameResolver } from './name-resolver.ts';

interface Known {
  readonly names: readonly string[];
  readonly loaded?: boolean;
  readonly process?: BackendState;
  readonly isPeer?: true;
  readonly objects?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function backend(id: string, { names, loaded = false, process, isPeer, objects = {} }: Known): Backend {
  const [canonical = id] = names;
  return {
    id,
    isPeer,
    modelObjects: new Map(Object.entries(objects)),
    view: {
      state: process ?? 'live',
      models: new Map(names.map((name) => [name, isPeer === true ? name : canonical])),
      loaded: new Set(loaded ? [canonical] : []),
      process: process === undefined ? undefined : {},
    },
  } as unknown as Backend;
}

function list(config: ModelsConfig, known: Readonly<Record<string, Known>> = {}, active?: string) {
  const backends = Object.entries(known).map(([id, one]) => backend(id, one));
  const fleet = new Fleet({
    get: () => undefined,
    list: () => backends,
  });
  const profiles = new ActiveProfile(config.profiles);
  profiles.choose(active);
  const names = new NameResolver({ models: () => config, profile: profiles, fleet, nowMs: () => 0 });
  const source = { backends, models: config, names, ensembles: {}, startedEpochS: 1000, signature: 'me' };
  return { rows: listModels(source), all: listModels(source, { all: true }) };
}

const target = (name: string) => ({ kind: 'model', model: name, requested: name }) as const;
const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

describe('SRV-7 the model list', () => {
  test('is sorted, hides what is unlisted, and names a model of ours and those of peers with the same name', () => {
    const { rows, all } = list(
      modelsConfig({
        models: [model('same'), model('hidden', { unlisted: true })],
        peers: [peer('two', { models: ['same'] }), peer('one', { models: ['same', 'org/m'] })],
      }),
      { plain: { names: ['a', 'z'] } },
    );
    expect(ids(rows)).toEqual(['a', 'one/org/m', 'one/same', 'same', 'two/same']);
    expect(ids(all)).toContain('hidden');
  });

  test.each<[BackendState, string, boolean]>([
    ['stopped', 'unloaded', false],
    ['starting', 'loaded', false],
    ['live', 'loaded', true],
    ['stopping', 'loaded', false],
  ])('says of a model that is %s: %s', (process, value, loaded) => {
    const { rows } = list(modelsConfig({ models: [model('m')] }), { m: { names: ['m'], process, loaded } });
    expect(rows).toMatchObject([{ id: 'm', status: { value }, llamero: { backends: ['m'], loaded } }]);
  });

  test('has rows for aliases where they are wanted, with the status of their model', () => {
    const models = [model('m', { name: 'Big', description: 'one', aliases: ['gpt', 'm:high'] })];
    const known: Record<string, Known> = {
      m: { names: ['m', 'gpt', 'm:high'], process: 'live', loaded: true },
    };
    expect(ids(list(modelsConfig({ models }), known).rows)).toEqual(['m']);
    const { rows } = list(modelsConfig({ models }, { includeAliasesInList: true }), known);
    expect(rows).toMatchObject([
      {
        id: 'gpt',
        name: 'Big',
        status: { value: 'loaded' },
        meta: { llamaswap: { type: 'alias', modelID: 'm' } },
      },
      {
        id: 'm',
        description: 'one',
        aliases: ['gpt', 'm:high'],
        meta: { llamaswap: { type: 'model', aliases: ['gpt', 'm:high'] } },
      },
      { id: 'm:high' },
    ]);
  });

  test('shows an alias as it says it wants to be shown', () => {
    const aliasListings = new Map([
      ['gpt', { name: 'The gpt', unlisted: false }],
      ['quiet', { name: '', unlisted: true }],
    ]);
    const models = [model('m', { name: 'Big', aliases: ['gpt', 'quiet'], aliasListings })];
    const known: Record<string, Known> = {
      m: { names: ['m', 'gpt', 'quiet'], process: 'live', loaded: true },
    };
    const { rows } = list(modelsConfig({ models }, { includeAliasesInList: true }), known);
    expect(rows).toMatchObject([
      { id: 'gpt', name: 'The gpt' },
      { id: 'm', name: 'Big' },
    ]);
    expect(ids(rows)).not.toContain('quiet');
  });

  test('tells of a peer what the peer tells of its model', () => {
    const { rows } = list(modelsConfig({ peers: [peer('far', { models: ['m'] })] }), {
      'peer:far': {
        names: ['far/m'],
        isPeer: true,
        loaded: true,
        objects: { 'far/m': { id: 'm', created: 7, context_length: 4096, meta: { n_ctx: 4096 } } },
      },
    });
    expect(rows).toEqual([
      {
        id: 'far/m',
        object: 'model',
        created: 7,
        owned_by: 'llamero',
        name: 'far: m',
        context_length: 4096,
        aliases: [],
        meta: { n_ctx: 4096, llamaswap: { type: 'peer', peerID: 'far', modelID: 'm' } },
        status: { value: 'loaded' },
        llamero: { backends: ['peer:far'], loaded: true, via: ['me'] },
      },
    ]);
  });
});

test('an engine of a plain backend keeps its own object', () => {
  const own = {
    created: 5,
    owned_by: 'llamacpp',
    meta: { n_params: 1 },
    status: { value: 'sleeping', args: [] },
  };
  const { rows } = list(modelsConfig({}), {
    a: { names: ['m', 'alias'], loaded: true, objects: { m: own } },
  });
  expect(rows).toEqual([
    {
      ...own,
      id: 'm',
      object: 'model',
      aliases: ['alias'],
      llamero: { backends: ['a'], loaded: true, via: ['me'] },
    },
  ]);
});

test('two calls give the same answer', () => {
  const of = () => list(modelsConfig({ models: [model('b'), model('a')] })).rows;
  expect(of()).toEqual(of());
});

describe('SRV-8 a model of ours', () => {
  const metadata = { note: 'x', architecture: 'mine', capabilities: 'mine', type: 'mine' };

  test('has what it declares, and only then loses metadata that would contradict it', () => {
    const capabilities = {
      in: ['text'],
      out: ['text'],
      tools: true,
      reranker: false,
      context: 8192,
    } as const;
    const { rows } = list(modelsConfig({ models: [model('m', { metadata, capabilities })] }));
    expect(rows).toMatchObject([
      {
        architecture: { input_modalities: ['text'], output_modalities: ['text'], modality: 'text->text' },
        capabilities: { function_calling: true },
        supported_parameters: ['tools', 'tool_choice'],
        context_length: 8192,
        meta: { n_ctx: 8192 },
      },
    ]);
    expect(rows[0]?.['meta']).toEqual({ n_ctx: 8192, llamaswap: { note: 'x', type: 'model' } });
  });

  test('keeps all metadata where nothing is declared, but its type', () => {
    const { rows } = list(modelsConfig({ models: [model('m', { metadata })] }));
    expect(rows[0]).not.toHaveProperty('architecture');
    expect(rows[0]?.['meta']).toEqual({ llamaswap: { ...metadata, type: 'model' } });
  });

  test('adds what its running engine says', () => {
    const known: Record<string, Known> = {
      m: { names: ['m'], process: 'live', objects: { m: { id: 'x', meta: { n_params: 7 } } } },
    };
    const { rows } = list(modelsConfig({ models: [model('m')] }), known);
    expect(rows[0]?.['meta']).toEqual({ n_params: 7, llamaswap: { type: 'model' } });
  });
});

describe('SRV-16 selectors in the list', () => {
  const of = (strategy: 'pin' | 'warm' | 'spillover', more = {}) =>
    modelsConfig({
      models: [model('a'), model('b')],
      selectors: [
        selector('s', {
          strategy,
          targets: [target('a'), target('b')],
          spillover: 3,
          metadata: { k: 1 },
          ...more,
        }),
      ],
    });
  const states = (a: BackendState, b: BackendState): Record<string, Known> => ({
    a: { names: ['a'], process: a },
    b: { names: ['b'], process: b },
  });
  const entry = (config: ModelsConfig, known: Readonly<Record<string, Known>>) =>
    list(config, known).rows.find(({ id }) => id === 's');

  test('say how they choose', () => {
    expect(entry(of('spillover'), {})?.['meta']).toEqual({
      llamaswap: { k: 1, type: 'selector', strategy: 'spillover', targets: ['a', 'b'], spillover: 3 },
    });
    expect(entry(of('warm'), {})?.['meta']).toEqual({
      llamaswap: { k: 1, type: 'selector', strategy: 'warm', targets: ['a', 'b'] },
    });
    expect(entry(of('warm', { unlisted: true }), {})).toBeUndefined();
  });

  test.each<['pin' | 'warm', BackendState, BackendState, string]>([
    ['warm', 'stopped', 'live', 'loaded'],
    ['warm', 'stopped', 'starting', 'loaded'],
    ['warm', 'stopping', 'stopped', 'unloaded'],
    ['pin', 'stopped', 'live', 'unloaded'],
    ['pin', 'live', 'stopped', 'loaded'],
  ])('%s with targets that are %s and %s: %s', (strategy, a, b, value) => {
    expect(entry(of(strategy), states(a, b))?.status).toEqual({ value });
  });
});

test('SRV-15 pins of the active profile are listed unless they stand for a name that is known, or disable one', () => {
  const config = modelsConfig({
    models: [model('m', { aliases: ['gpt'], name: 'Big' })],
    profiles: [profile('day', { mine: 'gpt', m: 'm', gpt: 'm', off: undefined })],
  });
  expect(ids(list(config).rows)).toEqual(['m']);
  const { rows } = list(config, { m: { names: ['m', 'gpt'], process: 'live', loaded: true } }, 'day');
  expect(ids(rows)).toEqual(['m', 'mine']);
  expect(rows[1]).toMatchObject({
    name: 'Big',
    status: { value: 'loaded' },
    meta: { llamaswap: { type: 'profile', modelID: 'gpt' } },
  });
});

test('one entry is found by its name or an alias, the name first', () => {
  const { all } = list(modelsConfig({ models: [model('a', { aliases: ['b', 'c'] }), model('b')] }));
  expect([
    findModel(all, 'a')?.id,
    findModel(all, 'b')?.id,
    findModel(all, 'c')?.id,
    findModel(all, 'd'),
  ]).toEqual(['a', 'b', 'a', undefined]);
});
