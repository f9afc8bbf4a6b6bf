import { expect, test } from 'vitest';
import { good } from './finding.ts';
import { runChecks } from './run-checks.ts';

test('runChecks keeps the order, and neither a failing nor a hanging check stops the others', async () => {
  let wasEnded = false;
  const results = await runChecks(
    [
      {
        name: 'hangs',
        run: (signal) =>
          new Promise(() => {
            signal.addEventListener('abort', () => (wasEnded = true));
          }),
      },
      { name: 'fails', run: () => Promise.reject(new Error('no luck')) },
      { name: 'works', run: () => Promise.resolve([good('a', 'b')]) },
    ],
    30,
  );
  expect(results).toMatchObject([
    { check: 'hangs', findings: [{ level: 'warning', saw: 'this check has not ended within 0.03 s' }] },
    { check: 'fails', findings: [{ level: 'warning', saw: 'this check failed: no luck' }] },
    { check: 'works', findings: [{ level: 'ok' }] },
  ]);
  expect(wasEnded).toBe(true);
});
