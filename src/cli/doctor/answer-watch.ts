/** A client for probes that remembers what its answers tell besides their bodies: the clock of the machine, and whether the key was taken. */
import type { Clock } from '../../base/clock.ts';
import type { ProbeClient } from '../../engines/engine-kind.ts';
import { fault, type Finding } from './finding.ts';

export interface AnswerWatch {
  readonly client: ProbeClient;
  /** The last answer with status 401 or 403 came for want of a key that is accepted. */
  refusedKey(): boolean;
  /** What is wrong with the clock of that machine, if its answers tell the time; one finding or none. */
  clockFindings(subject: string): readonly Finding[];
}

/** Tokens with a lifetime and the times of two logs still agree well enough up to here. */
const skewMsMax = 5000;

export function watchAnswers(client: ProbeClient, clock: Pick<Clock, 'epochMs'>): AnswerWatch {
  let refused = false;
  let skewMs: number | undefined;
  return {
    client: {
      async get(path) {
        const sentEpochMs = clock.epochMs();
        const answer = await client.get(path);
        refused ||= answer.status === 401 || answer.status === 403;
        skewMs = clockSkewMs(answer.headers.get('date'), sentEpochMs, clock.epochMs()) ?? skewMs;
        return answer;
      },
    },
    refusedKey: () => refused,
    clockFindings(subject) {
      if (skewMs === undefined || Math.abs(skewMs) <= skewMsMax) return [];
      const direction = skewMs > 0 ? 'ahead of' : 'behind';
      return [
        fault(subject, {
          level: 'warning',
          saw: `the clock of its machine is ${Math.round(Math.abs(skewMs) / 1000)} s ${direction} this one`,
          change: 'synchronise the clocks of both machines (timedatectl set-ntp true)',
        }),
      ];
    },
  };
}

/**
 * How far the clock behind a `Date` header is ahead of ours, in ms; 0 where the answer was under way long enough to
 * explain the difference. The header has whole seconds. Undefined when there is none.
 */
export function clockSkewMs(
  date: string | undefined,
  sentEpochMs: number,
  receivedEpochMs: number,
): number | undefined {
  const toldMs = Date.parse(date ?? '');
  if (Number.isNaN(toldMs)) return undefined;
  const [least, most] = [toldMs - receivedEpochMs, toldMs + 999 - sentEpochMs];
  if (least <= 0 && most >= 0) return 0;
  return least > 0 ? least : most;
}
