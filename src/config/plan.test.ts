import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryConfig } from '../../test/fixtures/config/arbitrary-config.ts';
import { planReload } from './plan.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';

function config(written: unknown = {}): Config {
  return configSchema.parse(written);
}

const nothing = { added: [], changed: [], removed: [], unchanged: [] };
const two = { a: { url: 'http://a:1' }, b: { url: 'http://b:1' } };

/** Changed entries for the sections above. */
const other = {
  peers: { proxy: 'http://p', models: ['m', 'n'] },
  profiles: { pins: { a: null } },
  selectors: { strategy: 'warm', targets: ['m'] },
};

describe('planReload', () => {
  test('finds nothing to do between equal configurations', () => {
    const plan = planReload(config({ backends: two }), config({ backends: two }));
    expect(plan).toEqual({
      changes: false,
      backends: { ...nothing, unchanged: ['a', 'b'] },
      models: nothing,
      peers: nothing,
      profiles: nothing,
      selectors: nothing,
      routing: false,
      listen: { added: [], removed: [] },
      scheduler: false,
      apiKeys: false,
      affinity: false,
      probes: false,
      limits: false,
      drain: false,
      log: false,
      needsRestart: [],
      changedKeys: [],
    });
  });

  test('sorts backends into added, changed, removed and unchanged', () => {
    const before = config({ backends: { ...two, c: { url: 'http://c:1' } } });
    const after = config({
      backends: { b: { url: 'http://b:1', slots: 3 }, c: { url: 'http://c:1' }, d: { url: 'http://d:1' } },
    });
    const plan = planReload(before, after);
    expect(plan.backends).toEqual({ added: ['d'], changed: ['b'], removed: ['a'], unchanged: ['c'] });
    expect(plan.changedKeys).toEqual(['backends.a', 'backends.b.slots', 'backends.d']);
    expect(plan.scheduler).toBe(false);
  });

  test('takes a default that is written out for no change', () => {
    const after = config({ backends: { ...two, a: { ...two.a, weight: 1, timeouts: { connect: '5s' } } } });
    expect(planReload(config({ backends: two }), after).changes).toBe(false);
  });

  test('names addresses that open and close', () => {
    const plan = planReload(config({ listen: [':1', ':2'] }), config({ listen: [':2', ':3'] }));
    expect(plan.listen).toEqual({ added: [':3'], removed: [':1'] });
  });

  test.each([
    [{ scheduling: { queueMax: 1 } }, { scheduler: true }, ['scheduling.queueMax']],
    [{ affinity: { session: { ttl: 5 } } }, { scheduler: true, affinity: true }, ['affinity.session.ttl']],
    [
      { affinity: { session: { headers: ['x'] } } },
      { scheduler: false, affinity: true },
      ['affinity.session.headers'],
    ],
    [{ apiKeys: ['k'] }, { apiKeys: true }, ['apiKeys']],
    [{ probes: { timeout: 1 } }, { probes: true }, ['probes.timeout']],
    [{ limits: { body: 1 } }, { limits: true, needsRestart: [] }, ['limits.body']],
    [{ limits: { header: 1 } }, { limits: true, needsRestart: ['limits.header'] }, ['limits.header']],
    [{ drain: { timeout: 1 } }, { drain: true }, ['drain.timeout']],
    [
      { log: { format: 'json', level: 'warn' } },
      { log: true, needsRestart: ['log.format'] },
      ['log.level', 'log.format'],
    ],
    [{ scheduling: { ordering: 'fair' } }, { scheduler: false, changes: true }, ['scheduling.ordering']],
    [{ scheduling: { scorers: { weight: 1 } } }, { scheduler: true }, ['scheduling.scorers']],
  ])('sees what %j touches', (written, expected, changedKeys) => {
    const plan = planReload(config(), config(written));
    expect(plan).toMatchObject(expected);
    expect(plan.changedKeys).toEqual(changedKeys);
  });

  test('compares models by what they come to', () => {
    const models = {
      plain: { cmd: 's 1', proxy: 'http://127.0.0.1:1' },
      fixed: { cmd: 's 2', proxy: 'http://127.0.0.1:2', ttl: 5 },
      gone: { cmd: 's 3', proxy: 'http://127.0.0.1:3' },
    };
    const { gone: _gone, ...rest } = models;
    const plan = planReload(
      config({ models }),
      config({ globalTTL: 60, models: { ...rest, come: { cmd: 's 4', proxy: 'http://127.0.0.1:4' } } }),
    );
    expect(plan.models).toEqual({
      added: ['come'],
      changed: ['plain'],
      removed: ['gone'],
      unchanged: ['fixed'],
    });
    expect(plan.routing).toBe(true);
  });

  test.each([
    [{ peers: { p: { proxy: 'http://p', models: ['m'], apiKey: 'k' } } }, 'peers', 'p'],
    [{ profiles: { f: { pins: { a: 'b' } } } }, 'profiles', 'f'],
    [{ selectors: { s: { strategy: 'pin', targets: ['m'] } } }, 'selectors', 's'],
  ] as const)('sees a change of %j', (written, key, name) => {
    const before = config({ ...written, models: { m: {} } });
    const after = config({ ...written, models: { m: {} }, [key]: { [name]: other[key] } });
    expect(planReload(before, after)[key]).toEqual({ ...nothing, changed: [name] });
    expect(planReload(before, before)[key]).toEqual({ ...nothing, unchanged: [name] });
  });

  test('sees that a group or a priority changes, and that no model does', () => {
    const models = { a: { cmd: 's 1', proxy: 'http://a:1' }, b: { cmd: 's 2', proxy: 'http://b:2' } };
    const before = config({ models, groups: { g: { members: ['a'] } } });
    const after = config({ models, groups: { g: { members: ['a'], swap: false } } });
    const urgent = config({
      models,
      groups: { g: { members: ['a'] } },
      routing: { scheduler: { settings: { fifo: { priority: { a: 3 } } } } },
    });
    for (const plan of [planReload(before, after), planReload(before, urgent)]) {
      expect(plan).toMatchObject({ routing: true, models: { changed: [], unchanged: ['a', 'b'] } });
    }
  });

  test('says the reverse for the reverse', () => {
    fc.assert(
      fc.property(arbitraryConfig, arbitraryConfig, (first, second) => {
        const [before, after] = [config(first), config(second)];
        const [forth, back] = [planReload(before, after), planReload(after, before)];
        expect([...back.backends.added].sort()).toEqual([...forth.backends.removed].sort());
        expect([...back.backends.changed].sort()).toEqual([...forth.backends.changed].sort());
        expect([...back.changedKeys].sort()).toEqual([...forth.changedKeys].sort());
        expect(back.listen.added).toEqual(forth.listen.removed);
        expect(back.scheduler).toBe(forth.scheduler);
        const { added, changed, unchanged } = forth.backends;
        expect([...added, ...changed, ...unchanged].sort()).toEqual(Object.keys(after.backends).sort());
        expect(planReload(before, before).changes).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});
