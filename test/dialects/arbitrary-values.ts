/** Texts, names and choices that generators of requests and answers are made of. */
import fc from 'fast-check';

const tricky = [
  '</think>',
  '<think>',
  'data: ',
  '"',
  '\\',
  '\n',
  '\r\n',
  '\u2028',
  '🦙',
  'é',
  '[DONE]',
  '\u0000',
  'ß漢',
];

/** Text that is never empty, with everything that readers and writers stumble over. */
export const arbitraryText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...tricky), fc.string({ unit: 'grapheme', maxLength: 8 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((pieces) => pieces.join(''))
  .filter((text) => text !== '');

/** JSON text of an object, as `JSON.stringify` writes it. */
export const arbitraryArguments: fc.Arbitrary<string> = fc
  .dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/),
    fc.oneof(
      arbitraryText,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(arbitraryText, { maxLength: 2 }),
    ),
    { maxKeys: 3, noNullPrototype: true },
  )
  .map((fields) => JSON.stringify(fields));

/** What OpenAI and Anthropic allow as a tool's name. */
export const arbitraryToolName: fc.Arbitrary<string> = fc.stringMatching(/^[a-z][a-zA-Z0-9_-]{0,11}$/);

export const arbitraryBase64 = fc
  .uint8Array({ minLength: 3, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));

/** True for what a list of the shape allows; no list allows everything. */
export function allows<Name extends string>(names: readonly Name[] | undefined): (name: Name) => boolean {
  return (name) => names === undefined || names.includes(name);
}

/** One of the allowed ones. */
export function oneOf<Value>(
  names: readonly string[] | undefined,
  arbitraries: Readonly<Record<string, fc.Arbitrary<Value>>>,
): fc.Arbitrary<Value> {
  return fc.oneof(
    ...Object.entries(arbitraries)
      .filter(([name]) => allows(names)(name))
      .map(([, arbitrary]) => arbitrary),
  );
}

/** The arbitraries of the allowed names. */
export function picked(
  names: readonly string[] | undefined,
  model: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(model).filter(([name]) => allows(names)(name)));
}
