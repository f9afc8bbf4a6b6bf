import { describe, expect, test } from 'vitest';
import { fakeReading, fakeTopRequest } from '../../../test/top/readings.ts';
import { modelRows, outerBackends } from './model-rows.ts';

const own = { pid: 7, ttl_seconds: 0 };
const rowOf = (reading: ReturnType<typeof fakeReading>, name: string) =>
  modelRows(reading).find(({ model }) => model === name);

describe('modelRows', () => {
  test('puts own processes first, as configured, then other models by name', () => {
    const reading = fakeReading([
      { id: 'desk', loaded: ['b', 'a'] },
      { id: 'z', process: own },
      { id: 'y', process: own },
    ]);
    expect(modelRows(reading).map(({ model }) => model)).toEqual(['z', 'y', 'a', 'b']);
    expect(outerBackends(reading).map(({ id }) => id)).toEqual(['desk']);
  });

  test('joins what several backends say of one model', () => {
    const reading = fakeReading([
      { id: 'desk', own: 2, loaded: ['m'] },
      { id: 'rack', own: 1, loaded: ['m'] },
      { id: 'attic', models: ['m'] },
    ]);
    expect(rowOf(reading, 'm')).toMatchObject({ state: 'loaded', inFlight: 3, backends: ['desk', 'rack'] });
  });

  test.each([
    ['live', ['m'], 'loaded'],
    ['degraded', [], 'unloaded'],
    ['dead', ['m'], 'away'],
    ['draining', ['m'], 'away'],
  ])('calls a model of a %s backend that has loaded %j %s', (state, loaded, expected) => {
    expect(rowOf(fakeReading([{ id: 'desk', state, loaded, models: ['m'] }]), 'm')?.state).toBe(expected);
  });

  test('counts who waits for a model, and not who runs', () => {
    const waiting = { phase: 'queued', model_id: 'm' };
    const requests = [fakeTopRequest('1', waiting), fakeTopRequest('2', waiting), fakeTopRequest('3')];
    const reading = fakeReading([{ id: 'desk', loaded: ['m', 'qwen3-8b'] }], requests);
    expect([rowOf(reading, 'm')?.queued, rowOf(reading, 'qwen3-8b')?.queued]).toEqual([2, 0]);
  });

  test('is not confused by a model that is called like a member of every object', () => {
    const reading = fakeReading([{ id: 'desk', models: ['constructor'] }]);
    expect(rowOf(reading, 'constructor')).toMatchObject({ inFlight: 0, queued: 0 });
  });

  test('tells the fault of a process only while it does not run', () => {
    const fault = (state: string) =>
      rowOf(fakeReading([{ id: 'm', state, error: 'Exited', process: own }]), 'm')?.fault;
    expect([fault('stopped'), fault('live')]).toEqual(['Exited', undefined]);
  });
});
