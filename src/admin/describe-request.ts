/** A request as the API shows it. The short form leaves out everything about the caller. */
import type { Clock } from '../base/clock.ts';
import { repairText } from '../domain/repair-record.ts';
import type { QueuedSnapshot } from '../scheduler/snapshot.ts';
import type { RequestParent, RequestRecord } from '../store/request-record.ts';
import { outputTokensSoFar } from '../store/requests.ts';
import type { RequestBody, RequestDetailBody } from './contract.ts';
import { isoTime, maskedSession, rounded, spanMs } from './values.ts';

/** `queued`: its entry in the queue, if it has one. */
export function describeRequest(
  record: RequestRecord,
  clock: Clock,
  queued: QueuedSnapshot | undefined,
): RequestBody {
  const endMs = record.finishedAtMs ?? clock.nowMs();
  const { usage, stream } = record;
  const waitEndMs = record.phase === 'queued' ? endMs : (record.grantedAtMs ?? record.finishedAtMs);
  return {
    request_id: record.id,
    phase: record.phase,
    route: record.route,
    model_id: record.model ?? null,
    requested_model: record.requested ?? null,
    selector: record.selector ?? null,
    ensemble: record.ensemble ?? null,
    cache: record.cache?.result ?? null,
    parent: record.parent === undefined ? null : describeParent(record.parent),
    session_id: maskedSession(record.session),
    backend_id: record.backend ?? null,
    stream,
    started_at: isoTime(record.startedEpochMs),
    age_seconds: rounded(Math.max(0, clock.nowMs() - record.startedMs) / 1000),
    position: queued?.position ?? null,
    priority: queued?.priority ?? null,
    queued_ms: spanMs(record.queuedAtMs, waitEndMs),
    first_byte_ms: spanMs(record.startedMs, record.firstByteAtMs),
    total_ms: spanMs(record.startedMs, record.finishedAtMs),
    estimated_tokens: record.tokensEstimated,
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage === undefined && !stream ? null : outputTokensSoFar(record),
    cached_tokens: usage?.cachedTokens ?? null,
    prompt_progress: record.promptProgress ?? null,
    repairs: record.repairs.map(repairText),
    status: record.status ?? null,
    outcome: record.outcome ?? null,
    error_code: record.errorCode ?? null,
    attempts: record.attempts.map(({ backend, failure }) => ({
      backend_id: backend,
      failure: failure ?? null,
    })),
  };
}

export function describeRequestFully(
  record: RequestRecord,
  clock: Clock,
  queued: QueuedSnapshot | undefined,
): RequestDetailBody {
  return {
    ...describeRequest(record, clock, queued),
    method: record.method,
    path: record.path,
    flow: record.flow,
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
  };
}

function describeParent({ id, purpose }: RequestParent): NonNullable<RequestBody['parent']> {
  return { request_id: id, purpose };
}
