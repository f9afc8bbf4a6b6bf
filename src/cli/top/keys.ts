/** What a terminal sends when keys are pressed, as the keys that mean something here. Knows not what they do. */

export type Key =
  | 'quit'
  | 'help'
  | 'nextPane'
  | 'previousPane'
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'load'
  | 'unload'
  | 'drain'
  | 'cancel'
  | 'escape';

const keys: Readonly<Record<string, Key>> = {
  q: 'quit',
  '\u0003': 'quit',
  '?': 'help',
  h: 'help',
  '\t': 'nextPane',
  '\u001b[Z': 'previousPane',
  k: 'up',
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  j: 'down',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  '\u001b[5~': 'pageUp',
  '\u001b[6~': 'pageDown',
  l: 'load',
  u: 'unload',
  d: 'drain',
  x: 'cancel',
  '\u001b': 'escape',
};

/** Sequences of control keys are one press; those that are not known are nothing, not the letters in them. */
// oxlint-disable-next-line no-control-regex
const press = /\u001b\[[\d;<?]*[ -/]*[@-~]|\u001bO[ -~]|\u001b[ -~]|[\s\S]/gu;

/** In the order of pressing; everything unknown is left out. */
export function readKeys(input: string): Key[] {
  return (input.match(press) ?? []).flatMap((text) =>
    Object.hasOwn(keys, text) && keys[text] !== undefined ? [keys[text]] : [],
  );
}
