/** What readers put right in the answers of engines that break the rules of their API, by name, so that it can be reported. */

/** Each repair and what it is about. */
export const repairs = {
  toolIndexMissing: 'A piece of a tool call did not say which call it belongs to',
  toolIndexRepeated: 'Two tool calls had the same index',
  toolIdMissing: 'A tool call had no id',
  toolIdRepeated: 'Two tool calls had the same id',
  toolNameMissing: 'A tool call never got a name and was left out',
  toolCallRepeated: 'A tool call that was complete came again',
  argumentsAsObject: 'Arguments of a tool call were JSON instead of text that holds JSON',
  argumentsMissing: 'A tool call had no arguments, not even empty ones',
  finishReasonMissing: 'An answer was complete, but did not say why it ended',
  finishReasonWrong: 'The reason given for the end did not fit to what was in the answer',
  doneMissing: 'A stream was complete, but had no end mark',
  usageMisplaced: 'The usage was not where the API has it',
  usageFromTimings: 'There was no usage; the engine told the same counts with its timings',
  reasoningInText: 'Thoughts stood in the text of the answer',
} as const satisfies Readonly<Record<string, string>>;

export type RepairName = keyof typeof repairs;

/** Told of every repair once per answer. */
export type OnRepair = (name: RepairName) => void;

/** Hands on every name once. */
export function onceEach(onRepair: OnRepair | undefined): OnRepair {
  if (onRepair === undefined) return () => undefined;
  const told = new Set<RepairName>();
  return (name) => {
    if (told.has(name)) return;
    told.add(name);
    onRepair(name);
  };
}
