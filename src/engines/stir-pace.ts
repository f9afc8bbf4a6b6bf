/**
 * How often an idle engine may be asked things that restart its idle timer. Reading the slots of a llama-server does:
 * asked at every round, one that should sleep when idle never would.
 */

/** An engine idle for less is asked at every round. */
const idleMsMin = 30_000;
const idleMsMax = 3_600_000;

/**
 * After the first half minute it is asked each time its idleness has doubled, and at least once an hour: so it falls
 * asleep at most about three times as late as it is configured to.
 *
 * `activeMs`: when it was last at work or used; `stirredMs`: when it was last asked, -Infinity = never.
 */
export function isStirDue(nowMs: number, activeMs: number, stirredMs: number): boolean {
  const idleMs = stirredMs - activeMs;
  return idleMs < idleMsMin || nowMs - stirredMs >= Math.min(idleMs, idleMsMax);
}
