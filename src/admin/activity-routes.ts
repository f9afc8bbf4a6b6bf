/** What became of past requests: list, sums, and the bodies of those that are kept. */
import type { Context, Hono } from 'hono';
import { LlameroError } from '../domain/errors.ts';
import type { StoredRow } from '../store/activity.ts';
import {
  activityQuery,
  activityStatsQuery,
  captureParams,
  type ActivityBody,
  type ActivityEntry,
  type ActivityStatsBody,
  type CaptureBody,
} from './contract-activity.ts';
import type { ActivityLookup, AdminDeps } from './deps.ts';
import { addRoute, check, checkQuery } from './routing.ts';

export function addActivityRoutes(app: Hono, { activity }: Pick<AdminDeps, 'activity'>): void {
  addRoute(app, '/api/metrics/activity', { GET: (context) => context.json(listBody(context, activity)) });
  addRoute(app, '/api/metrics/stats', { GET: (context) => context.json(statsBody(context, activity)) });
  addRoute(app, '/api/captures/:id', {
    GET: async (context) => context.json(await captureBody(context, activity)),
  });
}

function listBody(context: Context, activity: ActivityLookup): ActivityBody {
  const query = checkQuery(context, activityQuery, ['model']);
  const { limit, page, sort } = query;
  const { rows, total } = activity.list(
    {
      models: query.model,
      fromEpochMs: query.start,
      toEpochMs: query.end,
      idMin: query.min_id,
      idMax: query.max_id,
    },
    { limit, page, sort, descending: query.order === 'desc' },
  );
  const data = rows.map((row) => describeRow(row, activity.captures.has(row.id)));
  return { data, page, limit, total, total_pages: Math.ceil(total / limit) };
}

function statsBody(context: Context, activity: ActivityLookup): ActivityStatsBody {
  const totals = activity.totals(checkQuery(context, activityStatsQuery, ['model']).model);
  return {
    total_requests: totals.requests,
    total_input_tokens: totals.inputTokens,
    total_output_tokens: totals.outputTokens,
    total_cache_tokens: totals.cacheTokens,
    prompt_histogram: copyOf(totals.prompt),
    gen_histogram: copyOf(totals.output),
  };
}

async function captureBody(context: Context, activity: ActivityLookup): Promise<CaptureBody> {
  const { id } = check(captureParams, context.req.param());
  const capture = await activity.captures.get(id);
  if (capture === undefined) {
    throw new LlameroError('not_found', `There is no capture ${id}, or it has left for newer ones`, {
      param: 'id',
    });
  }
  return {
    id,
    req_path: capture.path,
    req_headers: { ...capture.requestHeaders },
    req_body: capture.requestBody.toString('base64'),
    resp_headers: { ...capture.responseHeaders },
    resp_body: capture.responseBody.toString('base64'),
  };
}

function describeRow(row: StoredRow, hasCapture: boolean): ActivityEntry {
  return {
    id: row.id,
    timestamp: new Date(row.createdEpochMs).toISOString(),
    model: row.model,
    req_path: row.path,
    resp_content_type: row.contentType,
    resp_status_code: row.status,
    tokens: {
      cache_tokens: row.cacheTokens,
      draft_tokens: row.draftTokens,
      draft_acc_tokens: row.draftTokensAccepted,
      input_tokens: row.inputTokens,
      output_tokens: row.outputTokens,
      prompt_per_second: row.promptRate,
      tokens_per_second: row.outputRate,
    },
    duration_ms: row.durationMs,
    has_capture: hasCapture,
    ...(row.errorMessage !== '' && { error_msg: row.errorMessage }),
    metadata: { ...row.metadata },
    request_id: row.requestId,
    backend_id: row.backend,
    outcome: row.outcome,
    flow: row.flow,
    queued_ms: row.queuedMs,
    load_ms: row.loadMs,
    prompt_ms: row.promptMs,
    generation_ms: row.generationMs,
  };
}

function copyOf(
  histogram: ReturnType<ActivityLookup['totals']>['prompt'],
): ActivityStatsBody['prompt_histogram'] {
  return histogram === null ? null : { ...histogram, bins: [...histogram.bins] };
}
