import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryConfig } from '../../test/fixtures/config/arbitrary-config.ts';
import { planReload } from './plan.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';

function config(written: unknown = {}): Config {
  return configSchema.parse(written);
}

const two = { a: { url: 'http://a:1' }, b: { url: 'http://b:1' } };

describe('planReload', () => {
  test('finds nothing to do between equal configurations', () => {
    const plan = planReload(config({ backends: two }), config({ backends: two }));
    expect(plan).toEqual({
      changes: false,
      backends: { added: [], changed: [], removed: [], unchanged: ['a', 'b'] },
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
