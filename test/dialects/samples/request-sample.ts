/** What samples of requests are: one minimal request for each thing that an API can say. */
import type { JsonObject } from '../../../src/dialects/ir/request.ts';

export interface RequestSample {
  /** Path of the member, with what it says where that makes a difference. */
  readonly field: string;
  readonly body: JsonObject;
}
