/**
 * Ends a test run with what must not be overlooked: every skipped test with its reason, and `N passed, N failed` as the
 * last line. With CI=true a skipped test counts as failed.
 */
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { testSetup } from './setup.ts';

export interface Skip {
  readonly name: string;
  readonly reason: string;
}

export interface Tally {
  readonly passed: number;
  /** Tests, and files and suites that broke outside a test. */
  readonly failed: number;
  readonly skipped: readonly Skip[];
}

export type FinishedTest =
  | { readonly state: 'passed' | 'failed' | 'pending' }
  | { readonly state: 'skipped'; readonly note: string | undefined };

/** The part of vitest's TestModule that is looked at. */
export interface FinishedModule {
  readonly relativeModuleId: string;
  errors(): readonly unknown[];
  readonly children: {
    allTests(): Iterable<{ readonly fullName: string; result(): FinishedTest }>;
    allSuites(): Iterable<{ errors(): readonly unknown[] }>;
  };
}

/** Counts a finished run. A test that never ran (its suite broke, the run was interrupted) counts as skipped. */
export function tallyRun(modules: readonly FinishedModule[], unhandledErrors: number): Tally {
  let passed = 0;
  let failed = unhandledErrors;
  const skipped: Skip[] = [];
  for (const module of modules) {
    failed += module.errors().length > 0 ? 1 : 0;
    for (const suite of module.children.allSuites()) failed += suite.errors().length > 0 ? 1 : 0;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'failed') failed += 1;
      else skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason: reasonOf(result) });
    }
  }
  return { passed, failed, skipped };
}

/** The closing lines; the last one is `N passed, N failed`. */
export function closingLines(tally: Tally, options: { ci: boolean; missing: readonly string[] }): string[] {
  const { passed, failed, skipped } = tally;
  const lines: string[] = [];
  if (skipped.length > 0) {
    lines.push('', `!!! ${skipped.length} skipped${options.ci ? ' (counted as failed: CI=true)' : ''} !!!`);
    lines.push(...skipped.map(({ name, reason }) => `  ${name}: ${reason}`));
    lines.push(...options.missing.map((line) => `  missing on this machine: ${line}`));
  }
  return [...lines, '', `${passed} passed, ${failed + (options.ci ? skipped.length : 0)} failed`];
}

function reasonOf(result: FinishedTest): string {
  return (result.state === 'skipped' ? result.note : 'did not run') ?? 'no reason given';
}

/** The reporter itself, for vitest.config.ts. */
export class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const ci = process.env['CI'] === 'true';
    const tally = tallyRun(modules, unhandledErrors.length);
    const missing = Object.entries(testSetup()).flatMap(([name, provided]) =>
      provided.missing === undefined ? [] : [`${name}: ${provided.missing}`],
    );
    const lines = closingLines(tally, { ci, missing });
    if (ci && tally.skipped.length > 0) process.exitCode = 1;
    // The default reporter prints its summary in the same hook: come after it.
    process.once('exit', () => process.stdout.write(`${lines.join('\n')}\n`));
  }
}
