import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/processes/harness.ts';
import { model } from '../../test/resolved-models.ts';
import { MeasuredNeeds } from './measured-needs.ts';

const MiB = 2 ** 20;
const need = (vram: number | undefined, ram: number | undefined) => ({
  vramBytes: vram === undefined ? undefined : vram * MiB,
  ramBytes: ram === undefined ? undefined : ram * MiB,
});

function begin(file?: string) {
  const warnings: string[] = [];
  const needs = new MeasuredNeeds({ info: () => {}, warn: (_, message) => warnings.push(message) });
  if (file !== undefined) needs.open(file);
  return { needs, warnings };
}

describe('measured needs', () => {
  test('keep the most of each kind that was seen, rounded up', () => {
    const { needs } = begin();
    const one = model('a');
    expect(needs.of(one)).toBeUndefined();
    expect(needs.add(one, need(33, undefined))).toBe(true);
    expect(needs.add(one, need(20, 16))).toBe(true);
    expect(needs.add(one, need(undefined, undefined))).toBe(false);
    expect(needs.add(one, need(40, 3))).toBe(false);
    expect(needs.of(one)).toEqual(need(48, 16));
  });

  test('know the difference between none and not measured', () => {
    const { needs } = begin();
    const one = model('a');
    expect(needs.add(one, need(0, undefined))).toBe(true);
    expect(needs.of(one)).toEqual(need(0, undefined));
  });

  test('belong to the command, whatever its port and name; not to another command or environment', () => {
    const { needs } = begin();
    needs.add(model('a', { cmd: 'serve --port 5800 -c 58000', port: 5800 }), need(16, 16));
    expect(needs.of(model('b', { cmd: 'serve --port 5801 -c 58000', port: 5801 }))).toEqual(need(16, 16));
    expect(needs.of(model('a', { cmd: 'serve --port 5800 -c 58001', port: 5800 }))).toBeUndefined();
    const env = { CUDA_VISIBLE_DEVICES: '' };
    expect(needs.of(model('a', { cmd: 'serve --port 5800 -c 58000', port: 5800, env }))).toBeUndefined();
  });

  test('are known to the next router', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'memory.json');
    const first = begin(file);
    first.needs.add(model('a', { cmd: 'x' }), need(16, undefined));
    first.needs.add(model('b', { cmd: 'y' }), need(0, 32));
    const second = begin(file);
    expect(second.needs.of(model('a', { cmd: 'x' }))).toEqual(need(16, undefined));
    expect(second.needs.of(model('b', { cmd: 'y' }))).toEqual(need(0, 32));
    expect(readdirSync(folder)).toEqual(['memory.json']);
    expect([...first.warnings, ...second.warnings]).toEqual([]);
  });

  test.each(['', '{', '[]', '{"version":1,"needs":{"k":{"ramBytes":-1}}}', '{"version":2,"needs":{}}'])(
    'begin anew, and say so, where the file holds %j',
    (text) => {
      const file = join(temporaryFolder(), 'memory.json');
      writeFileSync(file, text);
      const { needs, warnings } = begin(file);
      expect(warnings).toEqual(['The file of measured memory is damaged and begun anew']);
      needs.add(model('a'), need(16, 16));
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: 1 });
    },
  );

  test('go on in memory, and say so once, where the file cannot be written', () => {
    const file = join(temporaryFolder(), 'folder');
    const { needs, warnings } = begin(file);
    mkdirSync(file);
    needs.add(model('a'), need(16, 16));
    needs.add(model('a'), need(32, 16));
    expect(needs.of(model('a'))).toEqual(need(32, 16));
    expect(warnings).toEqual(['Measured memory cannot be written down']);
  });

  test('of commands that nobody measures any more are forgotten in the end', () => {
    const { needs } = begin();
    for (let index = 0; index <= 1000; index += 1) needs.add(model('a', { cmd: `x ${index}` }), need(16, 16));
    expect(needs.of(model('a', { cmd: 'x 0' }))).toBeUndefined();
    expect(needs.of(model('a', { cmd: 'x 1' }))).toBeDefined();
  });
});
