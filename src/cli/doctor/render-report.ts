/** What the checks found, for people and for programs. Pure; the JSON form is documented in docs/doctor.md and stays. */
import type { Paint, Style } from '../top/paint.ts';
import { plainText } from '../top/text-width.ts';
import { levels, type Finding, type Level } from './finding.ts';
import type { CheckResult } from './run-checks.ts';

const styles: Readonly<Record<Level, Style>> = { ok: 'good', note: 'busy', warning: 'warn', error: 'bad' };
const levelWidth = Math.max(...levels.map((level) => level.length));

/** Whole lines, the last one ended. What servers answered is harmless for a terminal. */
export function renderText(results: readonly CheckResult[], paint: Paint): string {
  const lines = results
    .filter(({ findings }) => findings.length > 0)
    .flatMap(({ check, findings }) => [
      paint(check, 'strong'),
      ...findings.flatMap((finding) => renderFinding(finding, paint)),
      '',
    ]);
  return `${[...lines, summaryOf(results)].join('\n')}\n`;
}

function renderFinding({ level, subject, saw, change }: Finding, paint: Paint): string[] {
  const what = subject === undefined ? saw : `${subject}: ${saw}`;
  const first = `  ${paint(level.padEnd(levelWidth), styles[level])}  ${plainText(what)}`;
  const indent = ' '.repeat(levelWidth + 4);
  return change === undefined ? [first] : [first, `${indent}→ ${plainText(change)}`];
}

function summaryOf(results: readonly CheckResult[]): string {
  const counts = countLevels(results);
  const told = (['error', 'warning', 'note'] as const)
    .filter((level) => counts[level] > 0)
    .map((level) => `${counts[level]} ${level}${counts[level] === 1 ? '' : 's'}`);
  return told.length === 0 ? 'Everything is well.' : told.join(', ');
}

/** One JSON object on several lines, the last one ended. */
export function renderJson(results: readonly CheckResult[], version: string): string {
  const counts = countLevels(results);
  const findings = results.flatMap(({ check, findings: found }) =>
    found.map(({ level, subject = null, saw, change = null }) => ({ check, subject, level, saw, change })),
  );
  return `${JSON.stringify({ version, ok: counts.error === 0, counts, findings }, undefined, 2)}\n`;
}

export function countLevels(results: readonly CheckResult[]): Record<Level, number> {
  const counts: Record<Level, number> = { ok: 0, note: 0, warning: 0, error: 0 };
  for (const { findings } of results) for (const { level } of findings) counts[level] += 1;
  return counts;
}
