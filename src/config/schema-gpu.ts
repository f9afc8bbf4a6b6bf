/** The part of the schema that says who tells how busy the GPUs behind a backend are. */
import { z } from 'zod';
import { describe, secret } from './values.ts';

/** In place of a URL: this machine. */
export const localMonitor = 'local';

export const gpuMonitor = z.union([
  z.string(),
  z.strictObject({
    url: describe(
      'Where it answers, `http://` or `https://`; without a path `/metrics` is asked for.',
      z.string(),
    ),
    apiKey: describe('Key of that monitor, sent as `Authorization: Bearer`.', secret().optional()),
  }),
]);

/** As it is written in the file. */
export type GpuMonitorEntry = z.output<typeof gpuMonitor>;

/** The URL, or `local`, that an entry names. */
export function monitorAddress(entry: GpuMonitorEntry): string {
  return typeof entry === 'string' ? entry : entry.url;
}
