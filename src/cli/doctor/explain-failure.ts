/** What to do about a server that gave no usable answer. Pure. */
import type { ProbeFailure } from '../../engines/engine-kind.ts';

export interface FailurePlace {
  /** The configuration keys that hold its key and its address. */
  readonly key: string;
  readonly url: string;
  /** The address itself. */
  readonly address: string;
  /** An answer had status 401 or 403. */
  readonly refusedKey: boolean;
}

export interface Explanation {
  readonly saw: string;
  readonly change: string;
}

export function explainFailure({ kind, message }: ProbeFailure, place: FailurePlace): Explanation {
  const { key, url, address } = place;
  if (place.refusedKey) {
    return {
      saw: `${address} refuses the key, or wants one (status 401 or 403)`,
      change: `${key}: the key of that server`,
    };
  }
  switch (kind) {
    case 'refused':
      return { saw: `nobody listens at ${address}`, change: `start the server there, or correct ${url}` };
    case 'unasked':
      return { saw: message, change: 'raise the limit of open files (`ulimit -n`)' };
    case 'timeout':
      return {
        saw: `${address}: ${message}`,
        change: `see whether a firewall is between, and whether that machine is overloaded (probes.timeout)`,
      };
    case 'broken':
      return {
        saw: `${address}: ${message}`,
        change: `see whether ${url} has the right name, scheme and port`,
      };
    case 'status':
      return {
        saw: `${address}: ${message}`,
        change: `see the log of that server, and whether ${url} leads to it`,
      };
  }
}
