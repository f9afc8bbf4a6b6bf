import { expect, test } from 'vitest';
import { YoungGarbage } from './young-garbage.ts';

const megabyte = 1024 * 1024;

test('YoungGarbage keeps buffers that nobody holds from piling up', () => {
  const garbage = new YoungGarbage(8 * megabyte);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let round = 0; round < 40; round += 1) {
    garbage.add(Buffer.allocUnsafeSlow(megabyte).length);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(20 * megabyte);
});
