/** How a request ended: one low-cardinality word for metrics, the access log and the request list. */

export const outcomes = [
  /** Answered to the end with a status below 400. */
  'completed',
  /** The engine's own 4xx or 5xx was passed on. */
  'passed_through_error',
  'rejected_full',
  'rejected_unauthorized',
  /** Refused before it queued: malformed, too large, unknown model, draining. */
  'rejected_other',
  'evicted_timeout',
  'cancelled_queued',
  /** The client left after a slot was granted and before the first byte. */
  'cancelled_waiting',
  'cancelled_streaming',
  'failed_before_first_byte',
  'failed_midstream',
  'internal',
] as const;

export type Outcome = (typeof outcomes)[number];
