/** The part of the schema that says who tells how busy the GPUs behind a backend are. */
import { z } from 'zod';
import { describe, secret } from './values.ts';

/** In place of a URL: this machine. */
export const localMonitor = 'local';

const monitor = z.strictObject({
  url: describe(
    'Where it answers, `http://` or `https://`; without a path `/metrics` is asked for. Or `local`.',
    z.string(),
  ),
  apiKey: describe('Key of that monitor, sent as `Authorization: Bearer`.', secret().optional()),
  gpus: describe(
    'Only these GPUs of the machine, by the numbers that the monitor gives them: those that the backend runs on. Unset: all.',
    z.array(z.int().min(0)).min(1).optional(),
  ),
});

export const gpuMonitor = z.union([z.string(), monitor]);

/** Who is asked about which GPUs. */
export type GpuMonitor = z.output<typeof monitor>;

/** What a text alone stands for. */
export function toGpuMonitor(entry: z.output<typeof gpuMonitor>): GpuMonitor {
  return typeof entry === 'string' ? { url: entry } : entry;
}
