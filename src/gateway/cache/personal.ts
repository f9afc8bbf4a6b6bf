/** Whether an answer says something about a person, so that nobody else may get it. A guess by patterns. Pure. */

const email = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/;
const uuid = /\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b/i;
const longNumber = /\d{8}/;
/** What a system prompt says under such a mark is about its user. */
const identityLine = /\[Tags:[^\]]*\bidentity\b[^\]]*\]([^\n]*)/gi;
const numberedId = /\bid\b\D{0,3}(\d{4,})/gi;
const wordCharsMin = 4;
/** Words that are about anybody. */
const anybodys: ReadonlySet<string> = new Set(
  'user users name names email phone their they this that with from have been also more tags identity preference context'.split(
    ' ',
  ),
);

/** Words of a system prompt by which its user can be known; none = it is the same for everybody. */
export function identityTokens(system: string): readonly string[] {
  const words = Array.from(system.matchAll(identityLine), ([, rest = '']) => rest.match(/\p{L}+/gu) ?? []);
  const tokens = [
    ...Array.from(system.matchAll(new RegExp(email, 'g')), ([found]) => found),
    ...Array.from(system.matchAll(numberedId), ([, digits = '']) => digits),
    ...words.flat().filter((word) => word.length >= wordCharsMin && !anybodys.has(word.toLowerCase())),
  ];
  return [...new Set(tokens.map((token) => token.toLowerCase()))];
}

/** `tokens`: of its system prompt. An answer without any text is taken for one: nobody can tell. */
export function isPersonal(answer: string, tokens: readonly string[]): boolean {
  if (answer === '' || email.test(answer) || uuid.test(answer) || longNumber.test(answer)) return true;
  const lower = answer.toLowerCase();
  return tokens.some((token) => lower.includes(token));
}
