/** The configuration key `usage`: how long and how finely the accounts of tokens are kept. */
import { z } from 'zod';
import { describe, duration } from './values.ts';

/** A hundred years: no timer waits that long, it only tells old from new. */
const ageMsMax = 36_500 * 86_400_000;

const usage = z.strictObject({
  minutes: describe(
    'How long what was used is told minute by minute; then it is added up to hours.',
    duration({ msMax: ageMsMax }).prefault('2d'),
  ),
  hours: describe(
    'How long it is told hour by hour; then it is added up to days, in UTC.',
    duration({ msMax: ageMsMax }).prefault('60d'),
  ),
  ageMax: describe(
    'What was used longer ago is forgotten; 0 = never.',
    duration({ msMax: ageMsMax }).prefault('0s'),
  ),
  rowsMax: describe(
    'Most minutes, hours and days of single keys, backends and models kept, of each so many. Beyond that the oldest are added up earlier, and the oldest days forgotten.',
    z.int().min(1000).default(250_000),
  ),
});

export const usageSection = describe(
  'Accounts of tokens and requests by key, backend and model ([docs/http.md](http.md#accounts)). In memory; with `store` in a file beside its file.',
  usage.prefault({}),
);
