/** One request as it came in and where it is bound: what is known of it before its body is read. */
import type { ModelName } from '../domain/ids.ts';
import type { KeyRules } from '../keys/key-rules.ts';
import type { RequestParent } from '../store/request-record.ts';
import type { ClientRequest, ClientResponse } from './client.ts';
import type { Route } from './routes.ts';

export interface Inbound {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly id: string;
  readonly route: Route;
  /** Path without the query, and the query without its question mark. */
  readonly path: string;
  readonly query: string;
  /** Name of the caller's key, else its address. */
  readonly flow: string;
  /** undefined: callers need none. */
  readonly key: KeyRules | undefined;
  /** Path and query as an engine gets them, before the edits of a backend. */
  readonly url: string;
  /** Where the path names the model: body and query then pass as they came. */
  readonly modelInPath: ModelName | undefined;
  /** Of a request that the router itself sends: the one that it is part of, which has been let in with the same key. */
  readonly parent?: RequestParent | undefined;
}
