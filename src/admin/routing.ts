/** How the routes of the control plane take their input and refuse what does not fit. Knows no route. */
import type { Context, Handler, Hono } from 'hono';
import type { z } from 'zod';
import { LlameroError } from '../domain/errors.ts';

/** Registers the methods of one path; any other method gets a 405 that names them. */
export function addRoute(app: Hono, path: string, handlers: Readonly<Record<string, Handler>>): void {
  for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
  const allow = Object.keys(handlers).join(', ').replace('GET', 'GET, HEAD');
  app.all(path, (context) => {
    context.header('allow', allow);
    throw new LlameroError('method_not_allowed', `${context.req.path} takes ${allow}`);
  });
}

/** @throws LlameroError naming the first bad parameter. */
export function check<Schema extends z.ZodType>(schema: Schema, values: unknown): z.output<Schema> {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path.join('.');
  const message =
    issue?.code === 'unrecognized_keys' ? 'no such parameter' : (issue?.message ?? 'not valid').toLowerCase();
  const text = `Parameter ${param ?? '?'}: ${message}`;
  throw new LlameroError('request_malformed', text, param === undefined ? {} : { param });
}

/** A parameter that is given twice counts as malformed: which one is meant cannot be known. `lists`: those that may be. */
export function checkQuery<Schema extends z.ZodType>(
  context: Context,
  schema: Schema,
  lists: readonly string[] = [],
): z.output<Schema> {
  const values: Record<string, string | string[]> = {};
  for (const [key, all] of Object.entries(context.req.queries())) {
    const [first] = all;
    if (lists.includes(key)) values[key] = all;
    else if (all.length > 1 || first === undefined) {
      throw new LlameroError('request_malformed', `Parameter ${key}: given more than once`, { param: key });
    } else values[key] = first;
  }
  return check(schema, values);
}

/** Asked for the head alone: a stream must not even be opened, for nobody would close it. */
export function isHead({ req }: Context): boolean {
  return req.raw.method === 'HEAD';
}

/** What follows `start` in the path, unescaped: names may hold slashes. Empty: nothing does. */
export function restOfPath(context: Context, start: string): string {
  const { pathname } = new URL(context.req.url);
  try {
    return decodeURIComponent(pathname.slice(start.length));
  } catch {
    throw new LlameroError('request_malformed', 'The path is not escaped correctly');
  }
}
