import { describe, expect, test } from 'vitest';
import { unknownGpu, type GpuReading, type GpuVendor } from '../../domain/host-reading.ts';
import type { GpuLook, GpuSource } from './gpu-source.ts';
import { GpuWatch } from './gpu-watch.ts';

interface FakeSource extends GpuSource {
  answer: GpuLook | 'never' | Error;
  asked: number;
  readonly closed: boolean;
}

function fakeSource(name: string, vendors: readonly GpuVendor[], answer: FakeSource['answer']): FakeSource {
  let closed = false;
  return {
    name,
    vendors,
    intervalMsMin: 0,
    answer,
    asked: 0,
    get closed() {
      return closed;
    },
    read() {
      this.asked += 1;
      if (this.answer instanceof Error) return Promise.reject(this.answer);
      return this.answer === 'never' ? new Promise(() => {}) : Promise.resolve(this.answer);
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}

const gpu = (vendor: GpuVendor, name: string): GpuReading => unknownGpu({ index: 0, vendor, name });
const read = (...gpus: GpuReading[]): GpuLook => ({ type: 'read', gpus });

function watchOf(...sources: FakeSource[]) {
  let nowMs = 0;
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const watch = new GpuWatch({
    sources,
    clock: { nowMs: () => nowMs, epochMs: () => nowMs },
    log: { info: () => {}, warn: (details) => warnings.push(details) },
    ageMsMax: 10_000,
  });
  return {
    watch,
    warnings,
    pass: (ms: number) => {
      nowMs += ms;
    },
    names: async (waitMs = 1000) => (await watch.look(waitMs)).map(({ index, name }) => `${index} ${name}`),
  };
}

describe('a watch over sources', () => {
  test('numbers the GPUs of all vendors through', async () => {
    const { names } = watchOf(
      fakeSource('a', ['nvidia'], read(gpu('nvidia', 'one'), gpu('nvidia', 'two'))),
      fakeSource('b', ['amd'], read(gpu('amd', 'three'))),
    );
    expect(await names()).toEqual(['0 one', '1 two', '2 three']);
  });

  test('takes each vendor from the first source that tells of it, and asks no other any more', async () => {
    const worse = fakeSource('worse', ['amd'], read(gpu('amd', 'worse')));
    const other = fakeSource('other', ['amd', 'intel'], read(gpu('amd', 'other'), gpu('intel', 'arc')));
    const { names } = watchOf(fakeSource('best', ['amd'], read(gpu('amd', 'best'))), worse, other);
    expect(await names()).toEqual(['0 best', '1 arc']);
    expect(await names()).toEqual(['0 best', '1 arc']);
    expect([worse.asked, other.asked]).toEqual([1, 2]);
  });

  test('falls back to the next source when the first one fails', async () => {
    const best = fakeSource('best', ['amd'], read(gpu('amd', 'best')));
    const { names, pass } = watchOf(best, fakeSource('worse', ['amd'], read(gpu('amd', 'worse'))));
    expect(await names()).toEqual(['0 best']);
    best.answer = { type: 'failed', problem: 'gone' };
    pass(11_000);
    expect(await names()).toEqual(['0 worse']);
  });

  test('does not let a source that hangs hold up another, and asks it only once', async () => {
    const hanging = fakeSource('hanging', ['amd'], 'never');
    const { names } = watchOf(hanging, fakeSource('good', ['nvidia'], read(gpu('nvidia', 'one'))));
    expect(await names(20)).toEqual(['0 one']);
    expect(await names(20)).toEqual(['0 one']);
    expect(hanging.asked).toBe(1);
  });

  test('tells what a source said last until it is too old', async () => {
    const source = fakeSource('a', ['nvidia'], read(gpu('nvidia', 'one')));
    const { names, pass } = watchOf(source);
    await names();
    source.answer = 'never';
    pass(9000);
    expect(await names(20)).toEqual(['0 one']);
    pass(2000);
    expect(await names(20)).toEqual([]);
  });

  test('says once that a source does not work, whatever is wrong with it', async () => {
    const source = fakeSource('broken', ['nvidia'], { type: 'failed', problem: 'no driver' });
    const { names, pass, warnings } = watchOf(source, fakeSource('throws', ['amd'], new Error('defect')));
    for (let round = 0; round < 4; round += 1) {
      await names();
      pass(31_000);
    }
    expect(source.asked).toBe(4);
    expect(warnings).toEqual([
      { source: 'broken', problem: 'no driver' },
      { source: 'throws', problem: 'Error: defect' },
    ]);
  });

  test('knows which sources fail or are silent while nobody else tells of their GPUs', async () => {
    const fails = fakeSource('fails', ['nvidia'], { type: 'failed', problem: 'no driver' });
    const hangs = fakeSource('hangs', ['intel'], 'never');
    const doubled = fakeSource('doubled', ['amd'], { type: 'failed', problem: 'gone' });
    const sources = [fails, hangs, doubled, fakeSource('fine', ['amd'], read(gpu('amd', 'one')))];
    const { watch, names, pass } = watchOf(...sources, fakeSource('absent', ['apple'], { type: 'absent' }));
    expect(watch.troubled()).toEqual([]);
    await names(20);
    expect(watch.troubled()).toEqual(['fails']);
    pass(11_000);
    await names(20);
    expect(watch.troubled()).toEqual(['fails', 'hangs']);
    fails.answer = read(gpu('nvidia', 'back'));
    pass(30_000);
    await names(20);
    expect(watch.troubled()).toEqual(['hangs']);
  });

  test('asks a source that is absent again after a minute, and says nothing', async () => {
    const source = fakeSource('absent', ['nvidia'], { type: 'absent' });
    const { names, pass, warnings } = watchOf(source);
    await names();
    pass(59_000);
    await names();
    expect(source.asked).toBe(1);
    source.answer = read(gpu('nvidia', 'late'));
    pass(1000);
    expect(await names()).toEqual(['0 late']);
    expect(warnings).toEqual([]);
  });

  test('closes its sources, and a look that waits ends', async () => {
    const source = fakeSource('hanging', ['amd'], 'never');
    const { watch, names } = watchOf(source);
    const looking = names(60_000);
    await watch.close();
    expect(await looking).toEqual([]);
    expect(source.closed).toBe(true);
    expect(await names(60_000)).toEqual([]);
    expect(source.asked).toBe(1);
  });
});
