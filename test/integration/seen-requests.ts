/** What a fake engine was asked by POST, as far as tests of names look at it. */
import type { FakeEngineReport } from '../fake-engine/fake-engine.ts';
import type { LoggedRequest } from '../fake-engine/request-log.ts';

interface Reporting {
  report(): Promise<FakeEngineReport>;
}

export async function posts(engine: Reporting): Promise<readonly LoggedRequest[]> {
  const { requests } = await engine.report();
  return requests.filter(({ method }) => method === 'POST');
}

/** Names in lower case. */
export function headersOf({ headers }: LoggedRequest): ReadonlyMap<string, string> {
  return new Map(
    headers.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), headers[at + 1] ?? '']] : [])),
  );
}
