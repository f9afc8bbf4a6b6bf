import { expect, test } from 'vitest';
import { createFakeFleet } from '../../test/fake-admin-deps.ts';
import { EventFeed } from './event-feed.ts';

function setUp() {
  const fleet = createFakeFleet();
  const listeners = new Set<(id: number) => void>();
  const feed = new EventFeed({
    ...fleet.deps,
    activity: {
      ...fleet.deps.activity,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  });
  const reader = feed.open().getReader();
  const read = async () => Buffer.from((await reader.read()).value ?? []).toString();
  const tell = (id: number) => {
    for (const listener of listeners) listener(id);
  };
  return { fleet, feed, reader, read, tell, listeners };
}

test('INF-2: a reader that is too slow holds nobody up, and gets the whole state again', async () => {
  const { read, tell, reader } = setUp();
  for (let id = 1; id <= 5000; id += 1) tell(id);
  const first = await read();
  expect(first.match(/\\"id\\":/g)?.length).toBeLessThan(1025);
  const again = await read();
  expect(again).toContain('\\"operation\\":\\"snapshot\\"');
  expect(again).toContain('"type":"modelStatus"');
  tell(5001);
  expect(await read()).toContain('5001');
  await reader.cancel();
});

test('nothing is listened to when the last reader has left', async () => {
  const { feed, reader, listeners } = setUp();
  const other = feed.open().getReader();
  expect(listeners.size).toBe(1);
  await reader.cancel();
  expect(listeners.size).toBe(1);
  await other.cancel();
  expect(listeners.size).toBe(0);
});

test('INF-1: a request whose body is still read is not told of', async () => {
  const { fleet, read, reader } = setUp();
  await read();
  const record = fleet.open('r1', { model: 'm' });
  fleet.deps.requests.changed(record);
  record.phase = 'queued';
  fleet.deps.requests.changed(record);
  fleet.deps.requests.changed(record);
  fleet.deps.requests.finish(record, { outcome: 'completed', status: 200, errorCode: undefined });
  const text = await read();
  expect(text.match(/\\"operation\\":\\"upsert\\"/g)).toHaveLength(1);
  expect(text.match(/\\"operation\\":\\"remove\\",\\"id\\":\\"r1\\"/g)).toHaveLength(1);
  await reader.cancel();
});
