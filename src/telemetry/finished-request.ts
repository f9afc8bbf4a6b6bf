/** What the log and metrics read of a request that is over. The store's record has this shape; neither knows the other. */
import type { ErrorCode } from '../domain/errors.ts';
import type { BackendId, FlowId, ModelName, RequestId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { RepairRecord } from '../domain/repair-record.ts';
import type { RouteName } from '../domain/routes.ts';

/** Times are Clock.nowMs; an undefined one was never reached. */
export interface FinishedRequest {
  readonly id: RequestId;
  readonly route: RouteName;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly flow: FlowId;
  /** The request that it is part of, where the router itself has sent it, and what it is for there. */
  readonly parent?: { readonly id: RequestId; readonly purpose: string } | undefined;
  readonly model: ModelName | undefined;
  readonly backend: BackendId | undefined;
  readonly stream: boolean;
  readonly attempts: readonly { readonly backend: BackendId; readonly failure: string | undefined }[];
  readonly startedMs: number;
  readonly queuedAtMs: number | undefined;
  readonly grantedAtMs: number | undefined;
  readonly headAtMs: number | undefined;
  readonly firstByteAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  readonly status: number | undefined;
  readonly outcome: Outcome | undefined;
  readonly errorCode: ErrorCode | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly usage:
    | {
        readonly inputTokens: number;
        readonly outputTokens: number;
        readonly cachedTokens: number;
        readonly reasoningTokens?: number;
      }
    | undefined;
  /** Tokens per second as the engine tells. */
  readonly timings?: { readonly predictedRate?: number } | undefined;
  readonly repairs: readonly RepairRecord[];
  /** What the cache of answers did for it, and why its answer is not given again; absent = it was not asked to. */
  readonly cache?:
    | {
        readonly result: string;
        /** Absent = an engine answered, or the answer does not tell. */
        readonly saved?: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
        readonly refusal: string | undefined;
      }
    | undefined;
}
