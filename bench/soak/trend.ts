/** Whether a series of readings grows: the straight line through it, and how sure that is. */

export interface Point {
  readonly atS: number;
  readonly value: number;
}

export interface Trend {
  /** Growth per hour, in the unit of the values. */
  readonly perHour: number;
  /** Two standard errors of that: beyond them on both sides it is not chance. */
  readonly uncertainty: number;
}

/** Least squares. Throws RangeError below three points: two always lie on a line. */
export function trendOf(points: readonly Point[]): Trend {
  const count = points.length;
  if (count < 3) throw new RangeError(`a trend needs three points, not ${count}`);
  const meanS = points.reduce((sum, { atS }) => sum + atS, 0) / count;
  const mean = points.reduce((sum, { value }) => sum + value, 0) / count;
  let spread = 0;
  let joint = 0;
  for (const { atS, value } of points) {
    spread += (atS - meanS) ** 2;
    joint += (atS - meanS) * (value - mean);
  }
  if (spread === 0) throw new RangeError('all points are of the same moment');
  const slope = joint / spread;
  const residual = points.reduce(
    (sum, { atS, value }) => sum + (value - mean - slope * (atS - meanS)) ** 2,
    0,
  );
  const errorPerS = Math.sqrt(residual / (count - 2) / spread);
  return { perHour: slope * 3600, uncertainty: 2 * errorPerS * 3600 };
}
