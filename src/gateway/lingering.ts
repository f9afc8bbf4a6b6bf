/** Whether an engine goes on computing for a client that is gone, by what is known of its kind and of the request. Pure. */
import type { Outcome } from '../domain/outcome.ts';
import type { Backend } from '../engines/backend.ts';
import type { AttemptRecord, RequestRecord } from '../store/request-record.ts';

export interface AbandonedWork {
  readonly kind: Pick<Backend['kind'], 'cancelsOnDisconnect'>;
  readonly attempt: AttemptRecord | undefined;
  readonly record: Pick<RequestRecord, 'firstByteAtMs' | 'promptProgress'>;
  /** The engine was asked for a stream. */
  readonly isStream: boolean;
}

/** Of a request that holds a permit. */
export function lingersAfter(outcome: Outcome, { kind, attempt, record, isStream }: AbandonedWork): boolean {
  if (kind.cancelsOnDisconnect !== 'streaming') return false;
  if (outcome === 'completed' || outcome === 'passed_through_error') return false;
  if (attempt?.failure !== undefined && outcome !== 'failed_midstream') return false;
  return !isStream || (record.firstByteAtMs === undefined && record.promptProgress === undefined);
}
