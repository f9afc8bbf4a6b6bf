/** Nearly as even as the best of all, without everybody rushing to the same one. */
import { definePicker } from '../../policy.ts';

export const powerOfTwo = definePicker({
  name: 'power-of-two',
  summary: 'Draws two backends at random and takes the one with the higher score.',
  pick(scored, { random }) {
    if (scored.length < 2) return scored[0];
    const first = Math.floor(random.next() * scored.length);
    const other = (first + 1 + Math.floor(random.next() * (scored.length - 1))) % scored.length;
    const [a, b] = [scored[first], scored[other]];
    return a !== undefined && b !== undefined && b.total > a.total ? b : a;
  },
});
