import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import '../../test/property-seed.ts';
import { addUsage, noUsage, type UsageCounts, type UsageEntry } from './usage-entry.ts';
import type { UsageRange } from './usage-query.ts';
import { usagePath } from './usage-table.ts';
import { Usage, type UsageOptions } from './usage.ts';

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];
const startEpochMs = Date.UTC(2026, 4, 4, 9, 30, 0);
const always: UsageRange = { fromEpochMs: 0, toEpochMs: Number.MAX_SAFE_INTEGER };

function setUp(changes: Partial<UsageOptions> = {}) {
  const time = { epochMs: startEpochMs };
  const faults: unknown[] = [];
  const options: UsageOptions = {
    path: undefined,
    minutesMs: 2 * dayMs,
    hoursMs: 60 * dayMs,
    ageMsMax: Infinity,
    rowsMax: 1000,
    nowEpochMs: () => time.epochMs,
    onFault: (error) => void faults.push(error),
    ...changes,
  };
  const usage = new Usage(options);
  onTestFinished(() => {
    usage.close();
  });
  return { usage, time, options, faults };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'llamero-usage-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

const entry = (changes: Partial<UsageCounts & UsageEntry['key']> = {}): UsageEntry => {
  const { flow = 'alice', backend = 'one', model = 'tiny', dialect = 'openai', ...counts } = changes;
  return {
    key: { flow, backend, model, dialect },
    counts: { ...noUsage, requests: 1, inputTokens: 100, outputTokens: 10, ...counts },
  };
};

const sum = (all: readonly { readonly counts: UsageCounts }[]) =>
  all.reduce((counts, each) => addUsage(counts, each.counts), noUsage);
const rowsOf = (usage: Usage) => [...usage.rows(always)].flat();
function compactAll(usage: Usage): void {
  for (let round = 0; round < 1000 && usage.compact(); round += 1);
}

describe('sums', () => {
  test('are by one part of the key, the most tokens first', () => {
    const { usage } = setUp();
    usage.add(entry({ reasoningTokens: 4, cachedTokens: 60 }));
    usage.add(entry({ flow: 'bob', model: 'big', inputTokens: 500, errors: 1 }));
    usage.add(entry({ model: 'big', dialect: 'ollama', estimated: 1 }));
    const keys = usage.sums({ ...always, by: 'flow', limit: 10 });
    expect(keys.map(({ name, counts }) => [name, counts.inputTokens, counts.requests])).toEqual([
      ['bob', 500, 1],
      ['alice', 200, 2],
    ]);
    expect(keys[1]?.counts).toMatchObject({ cachedTokens: 60, reasoningTokens: 4, estimated: 1, errors: 0 });
    expect(usage.sums({ ...always, by: 'model', limit: 1 }).map(({ name }) => name)).toEqual(['big']);
    expect(sum(usage.sums({ ...always, by: 'backend', model: 'tiny', limit: 9 })).inputTokens).toBe(100);
  });

  test('are of a range: its beginning is in it, its end is not', () => {
    const { usage, time } = setUp();
    usage.add(entry());
    time.epochMs += minuteMs;
    usage.add(entry({ inputTokens: 7 }));
    const inputIn = (fromEpochMs: number, toEpochMs: number) =>
      sum(usage.sums({ fromEpochMs, toEpochMs, by: 'flow', limit: 9 })).inputTokens;
    expect(inputIn(startEpochMs, startEpochMs + minuteMs)).toBe(100);
    expect(inputIn(startEpochMs + 1, startEpochMs + 2 * minuteMs)).toBe(7);
    expect(inputIn(startEpochMs, startEpochMs + 2 * minuteMs)).toBe(107);
  });
});

describe('a series', () => {
  test('has the step asked for, or a coarser one where only that is kept, and says so', () => {
    const { usage, time } = setUp({ minutesMs: hourMs });
    usage.add(entry());
    time.epochMs += 10 * minuteMs;
    usage.add(entry());
    const points = () =>
      usage
        .series({ ...always, by: 'model', stepSeconds: 60, limit: 100 })
        .map(({ startEpochMs: at, seconds, counts }) => [
          new Date(at).toISOString().slice(11, 16),
          seconds,
          counts.requests,
        ]);
    expect(points()).toEqual([
      ['09:30', 60, 1],
      ['09:40', 60, 1],
    ]);
    time.epochMs += 2 * hourMs;
    usage.compact();
    expect(points()).toEqual([['09:00', 3600, 2]]);
  });

  test('by day joins what is kept as minutes, hours and days', () => {
    const { usage, time } = setUp({ minutesMs: dayMs, hoursMs: 3 * dayMs });
    for (let day = 0; day < 6; day += 1) {
      usage.add(entry());
      time.epochMs += dayMs;
      compactAll(usage);
    }
    expect(new Set(rowsOf(usage).map(({ seconds }) => seconds))).toEqual(new Set([60, 3600, 86_400]));
    const days = usage.series({ ...always, by: 'model', stepSeconds: 86_400, limit: 100 });
    expect(days.map(({ counts, seconds }) => [counts.requests, seconds])).toEqual(
      Array.from({ length: 6 }, () => [1, 86_400]),
    );
  });
});

describe('compaction', () => {
  test('of many rows goes in batches', () => {
    const { usage, time } = setUp({ rowsMax: 100_000 });
    for (let index = 0; index < 4500; index += 1) usage.add(entry({ flow: `key-${index}` }));
    rowsOf(usage);
    time.epochMs += 3 * dayMs;
    expect([usage.compact(), usage.compact(), usage.compact()]).toEqual([true, true, false]);
    const rows = rowsOf(usage);
    expect([rows.length, new Set(rows.map(({ seconds }) => seconds)).size]).toEqual([4500, 1]);
    expect(sum(rows).requests).toBe(4500);
  });

  test('forgets what is too old, and only that', () => {
    const { usage, time } = setUp({ ageMsMax: 90 * dayMs });
    usage.add(entry({ model: 'old' }));
    time.epochMs += 80 * dayMs;
    usage.add(entry({ model: 'new' }));
    compactAll(usage);
    expect(usage.totals().map(({ model }) => model)).toEqual(['old', 'new']);
    time.epochMs += 12 * dayMs;
    compactAll(usage);
    expect(usage.totals().map(({ model }) => model)).toEqual(['new']);
    expect(rowsOf(usage).map(({ model }) => model)).toEqual(['new']);
  });

  test('keeps no more rows than allowed: the oldest are added up early, nothing recent is lost', () => {
    const { usage, time } = setUp({ rowsMax: 10 });
    for (let minute = 0; minute < 200; minute += 1) {
      usage.add(entry());
      time.epochMs += minuteMs;
    }
    compactAll(usage);
    const rows = rowsOf(usage);
    expect(rows.length).toBeLessThanOrEqual(30);
    expect(sum(rows).requests).toBe(200);
  });

  test('waits for a walk, and not for ever', () => {
    const { usage, time } = setUp();
    for (let index = 0; index < 1200; index += 1) usage.add(entry({ flow: `key-${index}` }));
    const walk = usage.rows(always);
    const first = walk.next().value ?? [];
    time.epochMs += 30_000;
    usage.compact();
    const second = walk.next().value ?? [];
    expect(new Set([...first, ...second].map(({ flow }) => flow)).size).toBe(1000);
    time.epochMs += 60_000;
    usage.compact();
    expect(() => walk.next()).toThrow('too long');
  });
});

describe('a file', () => {
  test('is beside that of activity, and has everything after a close', () => {
    const path = usagePath(join(folder(), 'activity.db'));
    expect(path.endsWith('activity.db.usage')).toBe(true);
    const { usage, options } = setUp({ path });
    usage.add(entry());
    usage.close();
    usage.add(entry());
    const again = new Usage(options);
    expect(again.totals()).toEqual([{ backend: 'one', model: 'tiny', counts: entry().counts }]);
    again.close();
  });

  test('that cannot be written costs nothing while there is room: it is tried again', () => {
    const path = join(folder(), 'usage');
    const { usage, faults } = setUp({ path });
    const other = new DatabaseSync(path);
    other.exec("CREATE TRIGGER full BEFORE INSERT ON usage_minute BEGIN SELECT RAISE(ABORT, 'full'); END");
    usage.add(entry());
    expect(rowsOf(usage)).toEqual([]);
    expect([faults.length, sum(usage.totals()).requests]).toEqual([1, 1]);
    other.exec('DROP TRIGGER full');
    other.close();
    expect(sum(rowsOf(usage)).requests).toBe(1);
  });

  test('of a newer version is refused, and a bad new path leaves the old one in use', () => {
    const path = join(folder(), 'usage');
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    const { usage, options } = setUp();
    usage.add(entry());
    expect(() => usage.configure({ ...options, path })).toThrow('newer version');
    expect(sum(rowsOf(usage)).requests).toBe(1);
  });
});

type Step =
  | { readonly kind: 'add'; readonly flow: string; readonly model: string; readonly tokens: number }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'compact' | 'flush' | 'kill' | 'fault' };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      flow: fc.constantFrom('alice', 'bob', "o'; --"),
      model: fc.constantFrom('tiny', 'big'),
      tokens: fc.nat(1000),
    }),
    fc.record({ kind: fc.constant('wait' as const), minutes: fc.constantFrom(1, 30, 200, 3000, 60_000) }),
    fc.record({
      kind: fc.constantFrom('compact' as const, 'flush' as const, 'kill' as const, 'fault' as const),
    }),
  ),
  { maxLength: 40 },
);

/** A kill: what the process had not handed to the system is gone, and its files are as they lie. */
function filesOfKilled(path: string, copy: string): void {
  for (const end of ['', '-wal']) if (existsSync(path + end)) cpSync(path + end, copy + end);
}

/** Lets one compaction fail between the rows it has added and those it would have removed. */
function compactWithFault(usage: Usage, path: string): void {
  rowsOf(usage);
  const other = new DatabaseSync(path);
  for (const table of ['usage_minute', 'usage_hour']) {
    other.exec(
      `CREATE TRIGGER stop_${table} BEFORE DELETE ON ${table} BEGIN SELECT RAISE(ABORT, 'killed'); END`,
    );
  }
  usage.compact();
  for (const table of ['usage_minute', 'usage_hour']) other.exec(`DROP TRIGGER stop_${table}`);
  other.close();
}

test('whatever the order of compactions, faults and kills, each request that was written is counted once', () => {
  const place = folder();
  let run = 0;
  const check = (history: readonly Step[]): void => {
    run += 1;
    let path = join(place, String(run));
    const setup = setUp({ path, minutesMs: hourMs, hoursMs: 2 * dayMs });
    let { usage } = setup;
    let [written, pending] = [noUsage, noUsage];
    const flush = () => {
      [written, pending] = [addUsage(written, pending), noUsage];
    };
    for (const [index, step] of history.entries()) {
      if (step.kind === 'add') {
        const { flow, model, tokens } = step;
        const added = entry({ flow, model, inputTokens: tokens });
        usage.add(added);
        pending = addUsage(pending, added.counts);
      } else if (step.kind === 'wait') setup.time.epochMs += step.minutes * minuteMs;
      else if (step.kind === 'compact') {
        usage.compact();
        flush();
      } else if (step.kind === 'flush') {
        rowsOf(usage);
        flush();
      } else if (step.kind === 'fault') {
        compactWithFault(usage, path);
        flush();
      } else {
        const copy = `${path}-${index}`;
        filesOfKilled(path, copy);
        usage.close();
        path = copy;
        usage = new Usage({ ...setup.options, path });
        pending = noUsage;
      }
      expect(sum(usage.totals())).toEqual(addUsage(written, pending));
    }
    flush();
    expect(sum(rowsOf(usage))).toEqual(written);
    expect(sum(usage.sums({ ...always, by: 'flow', limit: 100 }))).toEqual(written);
    usage.close();
  };
  fc.assert(fc.property(steps, check), { numRuns: 60 });
});
