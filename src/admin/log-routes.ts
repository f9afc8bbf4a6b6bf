/**
 * `/logs`: what the router and its models have written, and what they write; a slow reader loses text, never holds it up.
 * `/api/log/level`: how much the router writes.
 */
import type { Context, Hono } from 'hono';
import { LlameroError } from '../domain/errors.ts';
import type { OutputLog } from '../process/output.ts';
import { logLevelSchema } from './contract-log.ts';
import { noQuery } from './contract.ts';
import type { AdminDeps } from './deps.ts';
import { addRoute, check, checkQuery, isHead, restOfPath } from './routing.ts';

const streamPath = '/logs/stream';
const textHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  // A proxy that collects an answer before it passes it on would hold a live log up.
  'x-accel-buffering': 'no',
};

export function addLogRoutes(
  app: Hono,
  { logs, ending, log }: Pick<AdminDeps, 'logs' | 'ending' | 'log'>,
): void {
  addLevelRoute(app, log);
  addRoute(app, '/logs', {
    GET: (context) => context.body(new Uint8Array(logs.all.history()), 200, textHeaders),
  });
  addRoute(app, streamPath, { GET: (context) => stream(context, logs.all, ending) });
  addRoute(app, `${streamPath}/*`, {
    GET: (context) => {
      const found = logs.find(restOfPath(context, `${streamPath}/`));
      if (found === undefined) {
        const text = "Invalid logger. Use 'proxy', 'upstream' or a model's ID";
        throw new LlameroError('request_malformed', text);
      }
      return stream(context, found, ending);
    },
  });
}

/** A level that is set here holds until the next one, or until a reload finds another one in the configuration. */
function addLevelRoute(app: Hono, log: AdminDeps['log']): void {
  addRoute(app, '/api/log/level', {
    GET: (context) => {
      checkQuery(context, noQuery);
      return context.json({ level: log.level });
    },
    PUT: async (context) => {
      const { level } = check(logLevelSchema, await readJson(context));
      const before = log.level;
      // Before the change and as a warning, so that it shows when the log is turned down.
      if (level !== before) log.warn({ from: before, to: level }, 'log level changed');
      log.level = level;
      return context.json({ level });
    },
  });
}

async function readJson(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch {
    throw new LlameroError('request_malformed', 'The body is no JSON');
  }
}

/** History first, unless `?no-history`, then live until the client leaves or the router stops. */
function stream(context: Context, log: OutputLog, signal: AbortSignal): Response {
  if (isHead(context)) return context.body(null, 200, textHeaders);
  const withHistory = context.req.query('no-history') === undefined;
  const feed = log.subscribe({ withHistory, signal });
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await feed.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await feed.return?.();
      },
    },
    // What waits for the client waits in the feed, which has a limit.
    { highWaterMark: 0 },
  );
  return context.body(body, 200, textHeaders);
}
