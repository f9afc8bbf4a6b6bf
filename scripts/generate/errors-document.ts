/** docs/errors.md: the error table, and the exit codes of the program. */
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { errorTable } from '../../src/domain/errors.ts';
import type { ErrorSource, RetryAdvice } from '../../src/domain/errors.ts';
import type { GeneratedDocument } from './document.ts';
import { generatedNote, table } from './document.ts';

const titles: Readonly<Record<ErrorSource, string>> = {
  client: 'The request',
  queue: 'The queue',
  placement: 'Placement',
  process: 'Processes of models',
  backend: 'The backend',
  config: 'The configuration',
  internal: 'The router itself',
};

const advice: Readonly<Record<RetryAdvice, string>> = {
  never: 'no: it fails again',
  later: 'later',
  now: 'at once',
};

const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'Done, or stopped as asked.',
  found: '`llamero doctor` found at least one error.',
  usage: 'Wrong command line.',
  noInput: 'A file named on the command line cannot be read.',
  unavailable:
    'Something needed is not there: a port that is taken, a Node that is too old, no engine found, no router that answers or does what it is asked.',
  internal: 'A fault of the program itself; the log has the details.',
  config: 'The configuration has an error. A restart only repeats it.',
  interrupted: 'Stopped by a signal before it was done.',
};

const intro = `${generatedNote}

# Errors

Every error of the router has the shape that OpenAI clients know. \`code\` is stable: programs should look at it and not at
the message.

\`\`\`json
{ "error": { "message": "…", "type": "invalid_request_error", "param": null, "code": "model_not_found" } }
\`\`\`

An error of an engine is passed on as the engine sent it. An error after the first byte of an answer comes as an event in
the stream, and the stream then ends without its end mark. Where waiting helps, \`Retry-After\` says how long.`;

export const errorsDocument: GeneratedDocument = {
  path: 'docs/errors.md',
  render: () => {
    const sections = Object.entries(titles).map(([source, title]) => {
      const rows = Object.entries(errorTable)
        .filter(([, entry]) => entry.source === source)
        .map(([code, { status, type, retry, meaning }]) => {
          const shownStatus = status === 0 ? 'none sent' : String(status);
          return [`\`${code}\``, shownStatus, `\`${type}\``, advice[retry], meaning];
        });
      return `## ${title}\n\n${table(['code', 'status', 'type', 'try again', 'meaning'], rows)}`;
    });
    const exits = Object.entries(exitCodes).map(([name, code]) => [
      String(code),
      exitMeanings[name as keyof typeof exitCodes],
    ]);
    const exitSection = `## Exit status of the program\n\n${table(['status', 'meaning'], exits)}`;
    return `${[intro, ...sections, exitSection].join('\n\n')}\n`;
  },
};
