/** What an API key may do and how much of it: the members that keys of the configuration and keys of a file share. */
import { z } from 'zod';
import { adminAccesses } from '../domain/admin-access.ts';
import { routeGroups } from '../domain/route-groups.ts';
import { routeNames } from '../domain/routes.ts';
import { describe } from './values.ts';

const datePattern = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;
const count = () => z.int().min(1).optional();

export const keyShape = {
  models: describe(
    'Only these models, and only they are listed; `*` stands for any text. A request passes when the name that it asks for or the model behind that name is here; a selector also when all of its targets are. Unset: all.',
    z.array(z.string().min(1)).min(1).optional(),
  ),
  routes: describe(
    "Only these routes: names of routes, or `openai`, `anthropic`, `ollama` and `native` (an engine's own paths) for all of an API. Empty: none. Unset: all.",
    z.array(z.enum([...routeGroups, ...routeNames])).optional(),
  ),
  admin: describe(
    'What of the control API: `none`, `read` (everything that changes nothing) or `full`. Unset: `full` for a key without any restriction, else `none`.',
    z.enum(adminAccesses).optional(),
  ),
  priority: describe(
    'Priority class of its requests: 0 is served before 1, 1 before 2. Unset: 1.',
    z.int().min(0).max(1000).optional(),
  ),
  requestsPerMinute: describe(
    'Requests per minute; as many at once, then as they grow back. Unset: no limit.',
    count(),
  ),
  tokensPerMinute: describe(
    'Tokens per minute, those of prompts and of answers, likewise. Unset: no limit.',
    count(),
  ),
  concurrency: describe(
    'Requests at the same time, those that wait in the queue included. Unset: no limit.',
    count(),
  ),
  tokensPerDay: describe(
    'Tokens per day, in UTC. A request reserves what it may cost before it begins (its prompt, and `max_tokens` or 4096), and is charged what it took. Unset: no limit.',
    count(),
  ),
  tokensPerMonth: describe('Tokens per month, in UTC, likewise. Unset: no limit.', count()),
  expires: describe(
    'From then on the key is refused: `2027-01-31` (its beginning in UTC) or `2027-01-31T18:00:00Z`. Unset: never.',
    z
      .string()
      .regex(datePattern, {
        message: 'must be a date such as 2027-01-31 or 2027-01-31T18:00:00Z',
        abort: true,
      })
      .refine(isDate, 'must be a date that exists')
      .optional(),
  ),
};

const keySchema = z.strictObject(keyShape);

/** As it is written, every member optional. */
export type KeyConfig = z.output<typeof keySchema>;

/** What an entry of `apiKeys` without a name is called, by its place in the list: `key-1`, `key-2` … */
export function unnamedKeyName(index: number): string {
  return `key-${index + 1}`;
}

/** What is stored of a key, from JSON. @throws Error that names what is wrong. */
export function parseKeyConfig(value: unknown): KeyConfig {
  const parsed = keySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(problems.join('; '));
}

/** The language takes the 31st of February for a day in March. */
function isDate(text: string): boolean {
  const day = text.slice(0, 'YYYY-MM-DD'.length);
  const parsed = new Date(day);
  return !Number.isNaN(Date.parse(text)) && parsed.toISOString().startsWith(day);
}
