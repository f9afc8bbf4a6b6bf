import { expect, test } from 'vitest';
import { performanceSettings } from './app-readings.ts';
import { configSchema } from './config/schema.ts';

const near = { near: { url: 'http://127.0.0.1:1', gpuMonitor: { url: 'local' } } };
const far = { far: { url: 'http://10.0.0.1:1', gpuMonitor: 'http://10.0.0.1:8701' } };
const models = { m: { cmd: 'serve --port ${PORT}' } };

test.each([
  ['a backend runs here', { backends: near }, 2000],
  ['models of the router stand beside backends', { backends: far, models }, 2000],
  [
    'a backend runs here and monitors are asked rarely',
    { backends: near, probes: { gpuInterval: '5s' } },
    5000,
  ],
  ['there are models alone, and nothing to choose', { models }, undefined],
  ['there are other machines alone', { backends: far }, undefined],
])('this machine is looked at often enough where %s', (_, config, lookEvery) => {
  const settings = performanceSettings(configSchema.parse(config));
  expect(settings.every).toBe(5000);
  expect(settings.lookEvery).toBe(lookEvery);
});
