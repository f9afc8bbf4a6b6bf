/** Everything that can happen to the scheduler, in past tense. Each carries the time at which it happened (Clock.nowMs). */
import type { BackendView } from '../domain/backend-view.ts';
import type { BackendId, RequestId } from '../domain/ids.ts';
import type { PromptReport } from '../domain/prompt-chain.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { SchedulerSettings } from './settings.ts';

export type SchedulerEvent =
  /** A request wants a slot. Answered by exactly one `grant` or `reject`, at once or later, unless it is cancelled first. */
  | { readonly type: 'requestArrived'; readonly request: RequestFacts; readonly nowMs: number }
  /**
   * Its client left or an operator cancelled it while it waited. No `grant` or `reject` follows. One that was granted
   * before this event could be handled releases its permit. Unknown ids are ignored.
   */
  | { readonly type: 'requestCancelled'; readonly id: RequestId; readonly nowMs: number }
  /**
   * A granted request is over: its permit is released. `lingers`: the engine goes on generating although nobody listens
   * (llama.cpp, not streaming), so the slot stays taken until a slot reading shows it free, or for `lingerMsMax`.
   */
  | {
      readonly type: 'requestFinished';
      readonly id: RequestId;
      readonly lingers: boolean;
      /** What the engine said of the prompt, once it has read it; absent = nobody knows whether it has. */
      readonly prompt?: PromptReport | undefined;
      readonly nowMs: number;
    }
  /**
   * A granted request could not be started on its backend and may go elsewhere: its permit is released, it waits again
   * with its old place in the queue and never returns to a backend that it failed on. With no other backend it is
   * rejected with `exhausted`.
   */
  | { readonly type: 'requestRetried'; readonly id: RequestId; readonly nowMs: number }
  /** A backend appeared or any field of its view changed. */
  | { readonly type: 'backendChanged'; readonly view: BackendView; readonly nowMs: number }
  /** A backend left the configuration. Its permits stay valid until they are released. */
  | { readonly type: 'backendRemoved'; readonly id: BackendId; readonly nowMs: number }
  /**
   * A process is to be stopped by somebody's wish: it takes no new requests, who waits for it alone is rejected with
   * `unloaded`, and it is unloaded when its last request is over or `unloadTimeoutMs` has passed.
   */
  | { readonly type: 'unloadRequested'; readonly id: BackendId; readonly nowMs: number }
  /**
   * A process is to be replaced by one of another definition: it takes no new requests and is unloaded when its last one
   * is over, however long that takes. Who waits for it goes on waiting, for its successor.
   */
  | { readonly type: 'replacementRequested'; readonly id: BackendId; readonly nowMs: number }
  | { readonly type: 'configChanged'; readonly settings: SchedulerSettings; readonly nowMs: number }
  /** The time asked for by `Effects.wakeAt` has come. Early and late calls are harmless. */
  | { readonly type: 'timePassed'; readonly nowMs: number }
  /** From now on arrivals are rejected with `draining`, except those that continue something; what waits is still served. */
  | { readonly type: 'drainStarted'; readonly nowMs: number };
