/** What an ensemble works for: the life of the request that it answers, which goes on meanwhile. A contract only. */
import type { LlameroError } from '../../domain/errors.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import type { ClientAnswer } from '../client-answer.ts';
import type { Inbound } from '../inbound.ts';

export interface EnsembleHost {
  readonly record: RequestRecord;
  readonly answer: ClientAnswer;
  /** Begins a request of the router's own. */
  begin(inner: Inbound): RequestRecord;
  finish(outcome: Outcome): void;
  /** Answers with an error where that is still possible. */
  fail(error: LlameroError, outcome: Outcome): void;
  /** Ends an answer that has begun; `told`: the client has been told why. */
  brokeOff(error: LlameroError, told: boolean): void;
}
