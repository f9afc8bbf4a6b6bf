/** The checks of the machine that are a function of numbers: files, disk, memory, Node. */
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../config/schema.ts';
import { checkDisk, judgeDisk } from './check-disk.ts';
import { checkFileLimits, filesNeeded, readFileLimits } from './check-file-limits.ts';
import { checkMemory } from './check-memory.ts';
import { checkNode } from './check-node.ts';

const configOf = (more: object) => configSchema.parse(more);
const GiB = 2 ** 30;

describe('checkFileLimits', () => {
  const entries = { limits: { connections: 1000 }, backends: { a: { url: 'http://a', slots: 20 } } };
  const config = configOf(entries);

  test('counts client connections, upstream connections and files of its own', () => {
    expect(filesNeeded(config)).toBe(1000 + 20 + 100);
    expect(filesNeeded(configOf({ ...entries, scheduling: { slotLimits: 'soft' } }))).toBe(1000 + 1000 + 100);
  });

  test('is content with a limit that is just enough', () => {
    expect(checkFileLimits({ soft: 1120, hard: 1120 }, config)).toMatchObject([{ level: 'ok' }]);
    expect(checkFileLimits({ soft: Infinity, hard: Infinity }, config)).toMatchObject([{ level: 'ok' }]);
  });

  test('says how to raise a soft limit, or a hard one', () => {
    const [soft] = checkFileLimits({ soft: 1119, hard: 4096 }, config);
    expect(soft).toMatchObject({
      level: 'warning',
      change: 'ulimit -n 1120 before the start, or limits: { connections: 999 }',
    });
    const [hard] = checkFileLimits({ soft: 150, hard: 150 }, config);
    expect(hard?.change).toBe('LimitNOFILE=1120 in its systemd unit (the hard limit is 150)');
  });

  test.each([{ slotLimits: 'soft' }, { slotLimits: 'hard' }])(
    'proposes as many connections as fit when %o',
    (scheduling) => {
      const [finding] = checkFileLimits(
        { soft: 600, hard: 600 },
        configOf({
          limits: { connections: 20_000 },
          backends: { a: { url: 'http://a', slots: 400 } },
          scheduling,
        }),
      );
      expect(finding?.change).toMatch(/, or limits: \{ connections: 250 \}$/);
      const fitting = configOf({
        limits: { connections: 250 },
        backends: { a: { url: 'http://a', slots: 400 } },
        scheduling,
      });
      expect(filesNeeded(fitting)).toBe(600);
    },
  );

  test('reads the limits of this very process', (context) => {
    context.skip(process.platform === 'win32', 'Windows has no such limits');
    const limits = readFileLimits();
    expect(limits?.soft).toBeGreaterThan(0);
    expect(limits?.hard).toBeGreaterThanOrEqual(limits?.soft ?? Infinity);
  });
});

describe('checkDisk', () => {
  test.each([
    [2 * GiB, 1000, 'ok'],
    [GiB - 1, 1000, 'warning'],
    [63 * 2 ** 20, 1000, 'error'],
    [2 * GiB, 19, 'error'],
    [2 * GiB, undefined, 'ok'],
  ] as const)('calls %d free bytes and %s free files %s', (freeBytes, freeFiles, level) => {
    expect(judgeDisk({ folder: 'data', freeBytes, freeFiles }).level).toBe(level);
  });

  test('looks at the file system of the store, and at none without one', async () => {
    expect(await checkDisk(configOf({ store: { path: 'store.db' } }), import.meta.dirname)).toMatchObject([
      { subject: import.meta.dirname },
    ]);
    expect(await checkDisk(configOf({}), '/')).toMatchObject([{ level: 'ok', subject: 'disk' }]);
  });
});

describe('checkMemory', () => {
  const memory = { totalBytes: 16 * GiB, freeBytes: 8 * GiB };
  const groups = { kind: 'group', groups: [] } as const;

  test('warns when the caches of the configuration do not fit into what is free', () => {
    expect(checkMemory(memory, configOf({}), groups)).toMatchObject([{ level: 'ok' }]);
    const large = configOf({ affinity: { prefix: { memory: '9GiB' } } });
    expect(checkMemory(memory, large, groups)).toMatchObject([{ level: 'warning' }]);
  });

  test('finds more memory promised to models than there is', () => {
    const routing = (ramBytes: number) =>
      ({ kind: 'memory', budget: { ramBytes }, declared: new Map() }) as const;
    expect(checkMemory(memory, configOf({}), routing(16 * GiB))[1]?.level).toBe('ok');
    expect(checkMemory(memory, configOf({}), routing(32 * GiB))[1]).toMatchObject({
      level: 'error',
      saw: 'models get 32 GiB of the 16 GiB of this machine',
    });
  });
});

describe('checkNode', () => {
  test.each([
    ['24.9.0', 'ok'],
    ['25.0.0', 'ok'],
    ['24.8.9', 'error'],
    ['22.20.0', 'error'],
  ])('calls Node %s %s', (version, level) => {
    expect(checkNode(version).level).toBe(level);
  });
});
