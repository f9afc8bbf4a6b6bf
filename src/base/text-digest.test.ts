import { expect, test } from 'vitest';
import { TextDigest } from './text-digest.ts';

function digestOf(...texts: readonly string[]): string {
  const digest = new TextDigest();
  for (const text of texts) {
    digest.addBytes(Buffer.from(text), 0, Buffer.byteLength(text));
    digest.addNumber(text.length);
  }
  return digest.toString();
}

test('a digest is the same for the same texts and tells borders apart', () => {
  expect(digestOf('You are brief.', 'What?')).toBe(digestOf('You are brief.', 'What?'));
  expect(digestOf('You are brief.', 'What?')).toMatch(/^[0-9a-f]{16}$/);
  expect(digestOf('You are brief.W', 'hat?')).not.toBe(digestOf('You are brief.', 'What?'));
  expect(digestOf('', 'a')).not.toBe(digestOf('a', ''));
});

test('digests of many similar texts all differ', () => {
  const digests = new Set<string>();
  for (let index = 0; index < 200_000; index += 1)
    digests.add(digestOf(`Summarise document ${index}, please`));
  for (let index = 0; index < 20_000; index += 1)
    digests.add(digestOf('a'.repeat(index % 2000), String(index)));
  expect(digests.size).toBe(220_000);
});

test('each lane alone spreads texts that differ in one place', () => {
  const lanes = [new Set<string>(), new Set<string>()];
  for (let index = 0; index < 20_000; index += 1) {
    const digest = digestOf(`${'x'.repeat(500)}${index}${'y'.repeat(500)}`);
    lanes[0]?.add(digest.slice(0, 8));
    lanes[1]?.add(digest.slice(8));
  }
  // By chance about one pair in twenty thousand values of 32 bits is equal at times.
  for (const lane of lanes) expect(lane.size).toBeGreaterThan(19_990);
});
