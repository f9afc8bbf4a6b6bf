/** The router's own words to the models of an ensemble, and how what is criticised gets into them. Pure. */

export interface Candidate {
  readonly answer: string;
  readonly critiques: readonly string[];
}

export const critiquePrompt = `Below are a question and one of several answers to it, each written without knowledge of the others. Review this answer.

<question>
{question}
</question>

<answer number="{number}">
{answer}
</answer>

Begin with answer {number} in your own words, in one or two sentences. Then list its strengths. Then list its weaknesses: what is wrong, what does not follow, what was asked for and is missing. Name concrete places and be brief. Do not write a better answer.`;

export const finalPrompt = `(Everything from here on was added by a program; whoever wrote the message above does not see it.)

Before you, the message above was answered independently by several writers, and reviewers have looked at what they wrote. Use it as raw material: any of it may be wrong, the reviews too.

{candidates}

Now answer the message above yourself, as well as it can be answered: keep what holds, correct what does not, add what is missing. Write in the language of that message and in the form that it asks for. Give the answer and nothing else, and do not mention the other answers or the reviews.`;

export interface CritiqueMaterial {
  readonly question: string;
  readonly answer: string;
  /** By which reviewers and the final answer know it, from 1. */
  readonly number: number;
}

/** What a critic is told. `template`: undefined = the router's own. */
export function fillCritique(
  template: string | undefined,
  { question, answer, number }: CritiqueMaterial,
): string {
  return fill(template ?? critiquePrompt, { question, answer, number: String(number) });
}

/** What is put behind the question for the final answer. `template`: undefined = the router's own. */
export function fillFinal(template: string | undefined, candidates: readonly Candidate[]): string {
  const written = candidates.map((candidate, index) => writeCandidate(candidate, index + 1));
  return fill(template ?? finalPrompt, { candidates: written.join('\n\n') });
}

function writeCandidate({ answer, critiques }: Candidate, number: number): string {
  const reviews = critiques.map((text) => `\n<review of="${number}">\n${text}\n</review>`);
  return `<answer number="${number}">\n${answer}\n</answer>${reviews.join('')}`;
}

/** In one go, so that braces in what a model wrote stay what they are. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : whole,
  );
}
