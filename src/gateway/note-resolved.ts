/** What is known of a request once its body has been looked into, for its record. */
import type { RequestRecord } from '../store/request-record.ts';
import type { Inbound } from './inbound.ts';
import type { Resolved } from './resolve.ts';

export function noteResolved(record: RequestRecord, { modelInPath }: Inbound, resolved: Resolved): void {
  const { facts, meaning, peeked, stream } = resolved;
  record.model = facts.model;
  record.requested = modelInPath ?? peeked.model;
  record.selector = meaning?.selector;
  record.session = facts.session;
  record.stream = stream;
  record.tokensEstimated = facts.tokensEstimated;
}
