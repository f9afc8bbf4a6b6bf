/** Divides the rows of a screen among those who want some. */

/** Everybody gets what he wants, or an equal part of what there is; what one does not need is shared by the others. */
export function shareRows(wanted: readonly number[], available: number): number[] {
  const given = wanted.map(() => 0);
  let left = available;
  // From the least wish on, so that what is left over is known when the greater ones come.
  const order = wanted
    .map((_, index) => index)
    .sort((one, other) => (wanted[one] ?? 0) - (wanted[other] ?? 0));
  for (const [position, index] of order.entries()) {
    const share = Math.ceil(left / (order.length - position));
    given[index] = Math.min(wanted[index] ?? 0, share, left);
    left -= given[index];
  }
  return given;
}
