/**
 * The admin API as a Hono app: routes, checks of what comes in, headers of what goes out. Who may call is decided before
 * a request gets here. Reading routes change nothing.
 */
import { Hono } from 'hono';
import type { Context, Handler } from 'hono';
import { includesAccess } from '../domain/admin-access.ts';
import { tryErrorPage } from '../domain/error-page.ts';
import { errorTable, LlameroError } from '../domain/errors.ts';
import { isOtherSite } from '../domain/other-site.ts';
import { decisionsBody, healthBody, reloadBody, requestsBody, statusBody, versionBody } from './answers.ts';
import {
  backendParams,
  decisionsQuery,
  demoParams,
  noQuery,
  requestParams,
  requestsQuery,
} from './contract.ts';
import type { ErrorBody } from './contract.ts';
import type { AdminDeps } from './deps.ts';
import { addAffinityRoutes } from './affinity-routes.ts';
import { addActivityRoutes } from './activity-routes.ts';
import { addKeyRoutes } from './key-routes.ts';
import { changingReads } from './paths.ts';
import { EventFeed } from './event-feed.ts';
import { addLogRoutes } from './log-routes.ts';
import { addModelRoutes } from './model-routes.ts';
import { configQuery, healthQuery } from './contract-usage.ts';
import { describeEndpoints } from './describe-usage.ts';
import { addPerformanceRoutes } from './performance-routes.ts';
import { createMonitorFeed } from './monitor/feed.ts';
import { monitorPage } from './monitor/page.ts';
import { addRoute, check, checkQuery, isHead } from './routing.ts';
import { addCacheRoutes } from './cache-routes.ts';
import { addServerRoutes } from './server-routes.ts';
import { addUsageRoutes } from './usage-routes.ts';

export function createAdminApp(deps: AdminDeps): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    refuseOtherSites(context);
    await next();
    setSafeHeaders(context);
  });
  app.notFound((context) =>
    answerError(context, new LlameroError('not_found', `No route ${context.req.path}`)),
  );
  app.onError((thrown, context) => {
    const error = LlameroError.from(thrown);
    if (error.code === 'internal')
      deps.log.error({ err: error.cause, path: context.req.path }, 'Admin request failed');
    return answerError(context, error);
  });
  addReadingRoutes(app, deps);
  addVerbs(app, deps);
  addDemoVerbs(app, deps);
  addModelRoutes(app, deps);
  addLogRoutes(app, deps);
  addActivityRoutes(app, deps);
  addAffinityRoutes(app, deps);
  addCacheRoutes(app, deps);
  addPerformanceRoutes(app, deps);
  addKeyRoutes(app, deps);
  addUsageRoutes(app, deps);
  addServerRoutes(app, deps);
  addEventRoute(app, deps);
  return app;
}

function addReadingRoutes(app: Hono, deps: AdminDeps): void {
  const feed = createMonitorFeed(deps);
  const routes: Readonly<Record<string, Handler>> = {
    '/health': (context) => {
      const { require: required } = checkQuery(context, healthQuery);
      const body = healthBody(deps, { required, withNames: maySeeNames(context, deps) });
      return context.json(body, body.status === 'ok' ? 200 : 503);
    },
    '/wol-health': (context) => context.text('OK'),
    '/api/version': (context) => {
      checkQuery(context, noQuery);
      return context.json(versionBody(deps));
    },
    '/api/status': (context) => {
      checkQuery(context, noQuery);
      return context.json(statusBody(deps));
    },
    '/api/requests': (context) => context.json(requestsBody(deps, checkQuery(context, requestsQuery).limit)),
    '/api/decisions': (context) => context.json(decisionsBody(deps, checkQuery(context, decisionsQuery))),
    '/api/config': (context) => {
      const { format } = checkQuery(context, configQuery);
      if (format === 'json') return context.json(describeEndpoints(deps.backends(), deps.keysRequired()));
      return context.body(deps.printConfig(), 200, { 'content-type': 'text/yaml; charset=utf-8' });
    },
    '/metrics': async (context) => {
      const { contentType, text } = await deps.metrics();
      return context.body(text, 200, { 'content-type': contentType });
    },
    '/monitor': (context) =>
      context.body(monitorPage.html, 200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': monitorPage.contentSecurityPolicy,
      }),
    '/monitor/data': (context) => {
      const text = maySeeNames(context, deps) ? feed.whole() : feed.figures();
      return context.body(text, 200, { 'content-type': 'application/json; charset=utf-8' });
    },
  };
  for (const [path, handler] of Object.entries(routes)) addRoute(app, path, { GET: handler });
}

/** On open paths nobody has looked at the key before. */
function maySeeNames({ req }: Context, { accessOf }: AdminDeps): boolean {
  return includesAccess(accessOf([...req.raw.headers].flat()), 'read');
}

function addEventRoute(app: Hono, deps: AdminDeps): void {
  const feed = new EventFeed(deps);
  addRoute(app, '/api/events', {
    GET: (context) => {
      const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
      return isHead(context) ? context.body(null, 200, headers) : context.body(feed.open(), 200, headers);
    },
  });
}

function addVerbs(app: Hono, deps: AdminDeps): void {
  const cancel = (context: Context): Response => {
    const { id } = check(requestParams, context.req.param());
    if (!deps.requests.cancel(id, 'operator')) {
      throw new LlameroError('not_found', `No running request has the id ${id}`, { param: 'id' });
    }
    return context.json({ request_id: id, cancelled: true }, 202);
  };
  addRoute(app, '/api/requests/:id/cancel', { POST: cancel });
  addRoute(app, '/api/requests/:id', { DELETE: cancel });
  addRoute(app, '/api/inflight/:id/cancel', {
    POST: (context) => {
      cancel(context);
      return context.json({ msg: 'ok' });
    },
  });
  addRoute(app, '/api/reload', {
    POST: async (context) => {
      const report = await deps.reload();
      if (!report.ok) throw new LlameroError('config_invalid', report.problems.join('\n') || 'Reload failed');
      return context.json(reloadBody(report));
    },
  });
  addRoute(app, '/api/backends/:id/:action', {
    POST: (context) => {
      const { id, action } = check(backendParams, context.req.param());
      if (!deps.backends().some((backend) => backend.id === id)) {
        throw new LlameroError('not_found', `No backend has the name ${id}`, { param: 'id' });
      }
      if (action === 'probe') deps.probeNow(id);
      else deps.setBackendDraining(id, action === 'drain');
      return context.json({ backend_id: id, action }, 202);
    },
  });
}

/** The simulated users of `llamero demo`; a router with real engines has none. */
function addDemoVerbs(app: Hono, deps: AdminDeps): void {
  addRoute(app, '/api/demo/traffic/:action', {
    POST: (context) => {
      const { action } = check(demoParams, context.req.param());
      if (deps.demo === undefined) throw new LlameroError('not_found', 'This router is no demo');
      deps.demo.setTraffic(action === 'start');
      return context.json({ traffic: deps.demo.trafficRunning() });
    },
  });
}

function refuseOtherSites({ req }: Context): void {
  const reads = req.method === 'GET' || req.method === 'HEAD';
  if (reads && !changingReads.has(req.path)) return;
  const [site, origin, host] = [req.header('sec-fetch-site'), req.header('origin'), req.header('host')];
  if (isOtherSite({ site, origin, host }))
    throw new LlameroError('other_site_refused', 'A page of another site may not change anything here');
}

function setSafeHeaders(context: Context): void {
  const { headers } = context.res;
  headers.set('x-content-type-options', 'nosniff');
  headers.set('referrer-policy', 'no-referrer');
  headers.set('cache-control', 'no-store');
  headers.set('cross-origin-resource-policy', 'same-origin');
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('x-frame-options', 'DENY');
  if (!headers.has('content-security-policy')) {
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  }
}

/** What went wrong inside is for the log, so only our own messages go out. Below `/api` everybody gets JSON. */
function answerError(context: Context, error: LlameroError): Response {
  if (error.retryAfterS !== undefined) context.header('retry-after', String(error.retryAfterS));
  const accept = context.req.path.startsWith('/api') ? undefined : context.req.header('accept');
  const page = tryErrorPage(error, accept);
  if (page !== undefined) {
    return context.body(page.body, error.status as 400, { 'content-type': page.contentType });
  }
  const body: ErrorBody = {
    error: {
      message: error.message,
      type: errorTable[error.code].type,
      param: error.param ?? null,
      code: error.code,
    },
  };
  return context.json(body, error.status as 400);
}
