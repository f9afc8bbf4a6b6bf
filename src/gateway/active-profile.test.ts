import { expect, test } from 'vitest';
import type { ResolvedProfile } from '../config/models.ts';
import { ActiveProfile } from './active-profile.ts';

const profile = (name: string, target = 'm'): ResolvedProfile => ({
  name,
  description: '',
  pins: new Map([['gpt', target]]),
});
const profiles = (...all: ResolvedProfile[]) => new Map(all.map((one) => [one.name, one]));

test('SRV-15 a profile can be chosen and cleared; an unknown one changes nothing', () => {
  const active = new ActiveProfile(profiles(profile('day'), profile('night')));
  expect([active.name, active.current]).toEqual([undefined, undefined]);
  expect([active.choose('day'), active.name, active.current?.name]).toEqual([true, 'day', 'day']);
  expect([active.choose('noon'), active.name]).toEqual([false, 'day']);
  expect([active.choose(undefined), active.name]).toEqual([true, undefined]);
});

test('a choice outlives a reload that keeps the profile, with its new pins', () => {
  const active = new ActiveProfile(profiles(profile('day', 'old')));
  active.choose('day');
  active.apply(profiles(profile('day', 'new')));
  expect([active.name, active.current?.pins.get('gpt')]).toEqual(['day', 'new']);
});

test('listeners hear of each change once, also of the end of a profile that a reload removed', () => {
  const active = new ActiveProfile(profiles(profile('day')));
  const heard: (string | undefined)[] = [];
  const end = active.subscribe((name) => heard.push(name));
  active.choose('day');
  active.choose('day');
  active.apply(profiles());
  expect([heard, active.name]).toEqual([['day', undefined], undefined]);
  end();
  active.apply(profiles(profile('day')));
  active.choose('day');
  expect(heard).toHaveLength(2);
});
