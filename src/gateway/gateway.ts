/** What the data plane works with: built once by the composition root, shared by every request. */
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import type { ModelsConfig } from '../config/models.ts';
import type { Config } from '../config/schema.ts';
import type { BackendDirectory } from '../engines/backend.ts';
import type { KeyMeter } from '../keys/key-meter.ts';
import type { ResponseCache } from '../store/cache/response-cache.ts';
import type { Captures } from '../store/captures.ts';
import type { RequestRecord } from '../store/request-record.ts';
import type { RequestTable } from '../store/requests.ts';
import type { Responses } from '../store/responses.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Fleet } from './fleet.ts';
import type { NameResolver } from './name-resolver.ts';
import type { Rediscovery } from './rediscovery.ts';
import type { Upstream } from './upstream.ts';

/** Follows requests across programs. */
export interface RequestTraces {
  /** Headers that tell a backend where it is in the trace, in place of those that came: names and values alternating. */
  headers(record: RequestRecord): readonly string[];
  /** The backend failed the request, which waits again. */
  attemptEnded(record: RequestRecord): void;
}

export interface GatewayParts {
  readonly clock: Clock;
  /** The configuration in force; a reload replaces it. */
  readonly config: () => Config;
  /** Models, peers and names in force; a reload replaces it. */
  readonly models: () => ModelsConfig;
  readonly names: NameResolver;
  readonly registry: BackendDirectory;
  readonly fleet: Fleet;
  readonly rediscovery: Rediscovery;
  readonly dispatcher: Dispatcher;
  readonly upstream: Upstream;
  readonly requests: RequestTable;
  readonly captures: Captures;
  readonly responses: Responses;
  /** Answers that are given again; undefined = none are. A reload replaces it. */
  readonly cache: () => ResponseCache | undefined;
  readonly keyMeter: KeyMeter;
  /** undefined = nobody wants traces. */
  readonly traces?: RequestTraces | undefined;
  readonly log: Logger;
  /** What this router signs requests with; see loop-guard.ts. */
  readonly signature: string;
}
