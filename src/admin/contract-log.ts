/** What `/api/log/level` takes and answers. */
import { z } from 'zod';

export const logLevelSchema = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
});
