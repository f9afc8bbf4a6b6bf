import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfigText } from './load.ts';

function load(config: object) {
  const text = stringify({ backends: { one: { url: 'http://10.0.0.1:8080' } }, ...config });
  return loadConfigText({ file: 'f', text, env: {} });
}

function problemsOf(ensemble: object, more: object = {}): string[] {
  const result = load({ ensembles: { panel: ensemble }, ...more });
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('an ensemble', () => {
  test('takes one model or several, and has defaults for all else', () => {
    const result = load({
      ensembles: { one: { models: 'a' }, two: { models: ['a', 'b'], temperature: 0.5 } },
    });
    if (!result.ok) throw new Error('it does not load');
    const { ensembles, ensemblePrefix } = result.config;
    expect(ensembles).toMatchObject({
      one: { models: ['a'], temperature: 1, prompts: {} },
      two: { models: ['a', 'b'], temperature: 0.5 },
    });
    expect(ensemblePrefix).toBe('');
  });

  test.each<[string, object, object, string]>([
    ['without models', { models: [] }, {}, 'ensembles.panel.models'],
    ['of too many answers', { models: 'a', answers: 17 }, {}, 'ensembles.panel.answers'],
    [
      'with a critique of nothing',
      { models: 'a', prompts: { critique: 'Review!' } },
      {},
      'must contain {answer}',
    ],
    [
      'with an end of nothing',
      { models: 'a', prompts: { final: 'Answer!' } },
      {},
      'must contain {candidates}',
    ],
    [
      'of itself',
      { models: ['a', 'panel'] },
      {},
      "ensembles.panel.models[1]: ensemble 'panel': 'panel' is an ensemble",
    ],
    ['criticised by one', { models: 'a', critic: 'panel' }, {}, 'ensembles.panel.critic'],
    ['ended by one', { models: 'a', final: 'panel' }, {}, 'ensembles.panel.final'],
    [
      'with the name of a model',
      { models: 'a' },
      { models: { panel: { cmd: 'x ${PORT}' } } },
      'the name is also a model ID',
    ],
    [
      'with the name of an alias',
      { models: 'a' },
      { models: { m: { cmd: 'x ${PORT}', aliases: ['panel'] } } },
      'the name is also an alias',
    ],
    [
      'with the name of a selector',
      { models: 'a' },
      { models: { m: { cmd: 'x ${PORT}' } }, selectors: { panel: { strategy: 'pin', targets: ['m'] } } },
      'the name is also a selector ID',
    ],
  ])('%s is a fault', (_what, ensemble, more, expected) => {
    expect(problemsOf(ensemble, more).join('\n')).toContain(expected);
  });
});

test('a preset of nomyo has its prefix, unless the file says another', () => {
  const prefixOf = (config: object) => {
    const result = load({ scheduling: { preset: 'nomyo' }, ...config });
    return result.ok ? result.config.ensemblePrefix : undefined;
  };
  expect([prefixOf({}), prefixOf({ ensemblePrefix: '' }), prefixOf({ ensemblePrefix: 'all-' })]).toEqual([
    'moe-',
    '',
    'all-',
  ]);
});
