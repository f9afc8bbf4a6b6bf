import { expect, test } from 'vitest';
import { seenErrors } from '../../../test/dialects/engine-errors.ts';
import { dialects } from '../index.ts';
import { complaintOf } from './complaint.ts';

const cases = seenErrors.flatMap((seen) =>
  seen.dialects.map((dialect) => [seen.engine, dialect, seen.body.slice(0, 90), seen] as const),
);

test.each(cases)('%s is understood by the dialect %s: %s', (_engine, dialect, _words, seen) => {
  const error = dialects[dialect]?.readError(seen.status, seen.body);
  expect(error && complaintOf(error)).toBe(seen.complaint);
  expect(error?.overflow).toEqual(seen.overflow);
  expect(error?.status).toBe(seen.status);
});
