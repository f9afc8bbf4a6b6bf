import { expect, test } from 'vitest';
import { newRequestId } from './request-id.ts';

test('ids of requests are random UUIDs, none like another', () => {
  const ids = Array.from({ length: 2000 }, newRequestId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test('ids of requests have every digit in every place that is free', () => {
  const ids = Array.from({ length: 2000 }, newRequestId);
  const free = Array.from('xxxxxxxx-xxxx-_xxx-_xxx-xxxxxxxxxxxx').flatMap((sign, at) =>
    sign === 'x' ? [at] : [],
  );
  for (const at of free) expect(new Set(ids.map((id) => id[at])).size).toBe(16);
});
