import { describe, expect, test } from 'vitest';
import { localHost } from '../domain/backend-view.ts';
import { loadConfigText } from './load.ts';
import { formatProblem } from './problems.ts';
import { resolveModels } from './resolve-models.ts';
import { toSchedulerSettings } from './settings.ts';

const GiB = 2 ** 30;

function load(memory: string, models: string, use = 'memory') {
  const text = `routing:\n  router:\n    use: ${use}\n    settings:\n      memory: ${memory}\nmodels: ${models}\n`;
  return loadConfigText({ file: 'f', env: {}, text });
}

function resolved(memory: string, models: string) {
  const loaded = load(memory, models);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return { config: loaded.config, models: resolveModels(loaded.config) };
}

function said(memory: string, models: string, use?: string): string[] {
  const loaded = load(memory, models, use);
  return (loaded.ok ? loaded.warnings : loaded.problems).map(formatProblem);
}

const cmd = "cmd: 'serve ${PORT}'";

describe('the memory router', () => {
  test('has its budget and the declared needs in bytes', () => {
    const { models } = resolved(
      '{ vram: 24GiB, ram: 64GiB }',
      `{ a: { ${cmd}, memory: { vram: 8GiB, ram: 500MB } }, b: { ${cmd}, memory: { vram: 0 } }, c: { ${cmd} } }`,
    );
    expect(models.routing).toEqual({
      kind: 'memory',
      budget: { vramBytes: 24 * GiB, ramBytes: 64 * GiB },
      declared: new Map([
        ['a', { vramBytes: 8 * GiB, ramBytes: 500_000_000 }],
        ['b', { vramBytes: 0, ramBytes: undefined }],
      ]),
    });
  });

  test('plans with what is declared, and with what is measured where nothing is', () => {
    const { config, models } = resolved(
      '{ vram: 24GiB }',
      `{ a: { ${cmd}, memory: { vram: 8GiB } }, b: { ${cmd} }, c: { ${cmd} } }`,
    );
    const measured = new Map([
      ['a', 20],
      ['b', 10],
    ]);
    const { residency } = toSchedulerSettings(config, models, (model) => ({
      vramBytes: (measured.get(model) ?? 17) * GiB,
      ramBytes: undefined,
    }));
    const planner = residency.get(localHost);
    expect(planner?.evictionFor('b', ['a']).evict).toEqual([]);
    expect(planner?.evictionFor('c', ['a']).evict).toEqual(['a']);
    const unmeasured = toSchedulerSettings(config, models).residency.get(localHost);
    expect(unmeasured?.evictionFor('b', ['a']).evict).toEqual(['a']);
  });

  test.each(['{}', 'null'])('needs a budget: %s is refused', (memory) => {
    expect(said(memory, `{ a: { ${cmd} } }`)).toEqual([
      "f:3:5 routing.router: routing.router.use is 'memory' but routing.router.settings.memory sets neither vram nor ram",
    ]);
  });

  test('refuses a model that declares more than the budget, at its place', () => {
    expect(
      said('{ vram: 24GiB, ram: 1GiB }', `{ a: { ${cmd}, memory: { vram: 25GiB, ram: 1GiB } } }`),
    ).toEqual([
      'f:6:54 models.a.memory.vram: more than routing.router.settings.memory.vram (24GiB): it could never run',
    ]);
  });

  test.each([
    ['{ vram: 0 }', 'must be at least 1 byte'],
    ['{ vram: much }', 'must be a size such as 64MiB or 10MB, or plain bytes'],
  ])('refuses %s', (memory, reason) => {
    expect(said(memory, `{ a: { ${cmd} } }`).join()).toContain(reason);
  });

  test('warns of a need for which there is no budget', () => {
    const models = `{ a: { ${cmd}, memory: { vram: 1GiB, ram: 1GiB } } }`;
    expect(said('{ vram: 24GiB }', models)).toEqual([
      expect.stringContaining(
        'models.a.memory.ram: has no effect: routing.router.settings.memory sets no ram',
      ),
    ]);
    expect(said('{ vram: 24GiB }', models, 'group')).toEqual([
      expect.stringContaining("models.a.memory.vram: has no effect: routing.router.use is not 'memory'"),
      expect.stringContaining("models.a.memory.ram: has no effect: routing.router.use is not 'memory'"),
    ]);
  });

  test('refuses spillover between models that do not fit together', () => {
    const models = `{ a: { ${cmd}, memory: { vram: 9 } }, b: { ${cmd}, memory: { vram: 9 } } }`;
    const selectors = 'selectors: { s: { strategy: spillover, targets: [a, b] } }';
    expect(said('{ vram: 17 }', `${models}\n${selectors}`).join()).toContain(
      'together they need more memory',
    );
    expect(said('{ vram: 18 }', `${models}\n${selectors}`)).toEqual([]);
  });
});
