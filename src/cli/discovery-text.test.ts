import { expect, test } from 'vitest';
import { createFakeEngine } from '../../test/fake-engine/fake-engine.ts';
import { discoverEngines } from '../engines/discovery.ts';
import { discoveryText } from './discovery-text.ts';

test('tells what each engine offers, or why it cannot be used yet', async () => {
  const [open, locked, loading] = await Promise.all([
    createFakeEngine(),
    createFakeEngine({ apiKey: 'engine-key' }),
    createFakeEngine(),
  ]);
  loading.fault({ kind: 'loading', ms: 60_000 });
  const ports = [open.port, locked.port, loading.port];
  const found = await discoverEngines({ ports, timeoutMs: 10_000 });
  expect(discoveryText(found).split('\n')).toEqual([
    `Found llama.cpp at ${open.url} as 'llamacpp-${open.port}': tiny`,
    expect.stringMatching(/^Found llama\.cpp at .*: .*key/),
    expect.stringMatching(/^Found llama\.cpp at .*: it is loading its model$/),
    '',
  ]);
  await Promise.all([open.close(), locked.close(), loading.close()]);
});

test('names the usual addresses and what to do when nothing is there', async () => {
  const gone = await createFakeEngine();
  await gone.close();
  const text = discoveryText(await discoverEngines({ ports: [gone.port] }));
  for (const address of [':8080', ':11434', ':8000', ':1234', ':30000']) {
    expect(text).toContain(`http://127.0.0.1${address}\n`);
  }
  expect(text).toMatch(/llamero\.yaml:\n\nbackends:\n[\s\S]*llamero demo\n$/);
});
