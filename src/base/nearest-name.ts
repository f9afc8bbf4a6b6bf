/** "Did you mean …?": the known name that is closest to a misspelt one. */

/** Names compared at most, so that a fleet with thousands of models cannot make an error answer slow. */
const comparedMax = 2000;

/**
 * The candidate with the smallest edit distance (insertions, deletions, substitutions, swapped neighbours), if it is at
 * most a third of the name's length and at most 3; otherwise undefined. Case does not count.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let distanceBest = Math.min(3, Math.max(1, Math.floor(wanted.length / 3))) + 1;
  let best: string | undefined;
  let compared = 0;
  for (const candidate of candidates) {
    compared += 1;
    if (compared > comparedMax) break;
    if (Math.abs(candidate.length - wanted.length) >= distanceBest) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < distanceBest) {
      distanceBest = distance;
      best = candidate;
    }
  }
  return best;
}

/** Optimal string alignment distance. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
