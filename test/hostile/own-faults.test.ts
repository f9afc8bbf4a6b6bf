/** A fault of the router's own in the middle of an answer ends that request and nothing else. */
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { Relay } from '../../src/gateway/relay.ts';
import { startFakeEngine } from '../fake-engine/start.ts';
import { chat } from '../integration/client.ts';
import { startRouter } from '../integration/start-router.ts';

afterEach(() => void vi.restoreAllMocks());

test.each(['head', 'push'] as const)('a fault at the %s of an answer costs one request', async (step) => {
  const engine = await startFakeEngine();
  onTestFinished(() => engine.close());
  await using router = await startRouter({ backends: { one: { url: engine.url } } });
  await router.ready();
  vi.spyOn(Relay.prototype, step).mockImplementationOnce(() => {
    throw new Error('own fault');
  });
  const broken = await chat(router.url).answer.catch(() => undefined);
  expect(broken?.complete === true && broken.status === 200).toBe(false);
  expect(await chat(router.url, { stream: true }).answer).toMatchObject({ status: 200, complete: true });
  expect(router.logLines.filter(({ msg }) => msg === 'Internal error')).toHaveLength(1);
});
