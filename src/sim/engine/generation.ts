/** Runs one generating request: a job per choice through the slots, its pieces through the format, out on the exchange. */
import { createAnswer, type Piece } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { EngineError } from './engine-error.ts';
import type { AnswerContext, AnswerFormat, Choice } from './formats/format.ts';
import { generationParams } from './generation-params.ts';
import type { GenerationRequest } from './generation-request.ts';
import type { Runner } from './runner.ts';
import type { SlotJob, SlotRun } from './slot-job.ts';
import { StopWatcher } from './stop-watcher.ts';
import { countTokens } from './tokens.ts';

export interface GenerationOptions {
  readonly exchange: Exchange;
  readonly runner: Runner;
  readonly request: GenerationRequest;
  readonly createFormat: (context: AnswerContext) => AnswerFormat;
  /** A chat: the model may think and call tools. */
  readonly chat: boolean;
  readonly text: 'english' | 'mixed';
  /** Decides the texts; one per choice is derived from it. */
  readonly seed: number;
  readonly newId: () => string;
  readonly epochMs: () => number;
}

/** What llama-server's router says when the model under a request goes; into a stream as raw text before a clean end. */
const modelGone = 'proxy error: Failed to read connection';

/** What the jobs of one request share. */
interface Generation extends GenerationOptions {
  readonly context: AnswerContext;
  readonly format: AnswerFormat;
}

export function startGeneration(options: GenerationOptions): void {
  const { request, runner } = options;
  const entries = request.prompts.flatMap((prompt) => Array.from({ length: request.choices }, () => prompt));
  const jobs = entries.map((prompt, index) => {
    const answer = createAnswer({
      seed: options.seed + index,
      thinks: options.chat && runner.model.thinks === true && request.mayThink,
      tools: options.chat ? request.tools : [],
      schema: request.schema,
      endless: request.endless,
      text: options.text,
    });
    const tool = answer.tool === undefined ? undefined : { id: options.newId(), name: answer.tool };
    return { answer, choice: createChoice(index, prompt, tool) };
  });
  const [first, ...others] = jobs.map(({ choice }) => choice);
  if (first === undefined) throw new EngineError(400, '"prompt" must not be empty');
  const context: AnswerContext = {
    id: options.newId(),
    model: runner.model.id,
    createdS: Math.floor(options.epochMs() / 1000),
    contextTokens: runner.model.contextTokens,
    request,
    choices: [first, ...others],
    newId: options.newId,
    epochS: () => Math.floor(options.epochMs() / 1000),
  };
  const generation: Generation = { ...options, context, format: options.createFormat(context) };
  for (const { answer, choice } of jobs)
    runner.pool.enqueue(createJob(generation, choice, () => answer.next()));
}

function createChoice(index: number, prompt: string, tool: Choice['tool']): Choice {
  return {
    index,
    prompt,
    promptTokens: Math.max(1, countTokens(prompt)),
    tool,
    run: undefined,
    reasoning: '',
    text: '',
    arguments: '',
    finish: undefined,
    stoppedBy: '',
  };
}

function createJob(generation: Generation, choice: Choice, nextPiece: () => Piece | undefined): SlotJob {
  const { exchange, request, format, context } = generation;
  const watcher = new StopWatcher(request.stops);
  const room = context.contextTokens - choice.promptTokens;
  const tokensMax = Math.min(request.tokensMax ?? Infinity, room);
  let upcoming = nextPiece();

  function write(text: string): boolean {
    return request.stream ? exchange.write(text) : true;
  }

  return {
    prompt: choice.prompt,
    promptTokens: choice.promptTokens,
    usesCache: request.usesCache,
    slotWanted: request.slotWanted,
    params: generationParams({ request, full: false, chat: generation.chat }),
    tokensMax,
    started(run) {
      choice.run = run;
      if (request.stream) exchange.startStream();
    },
    promptProgressed: () => (request.returnProgress ? write(format.progress?.(choice) ?? '') : true),
    tokenDue(run) {
      const piece = upcoming;
      upcoming = nextPiece();
      const text = takePiece(choice, piece, watcher);
      const finish = finishReason({ choice, run, tokensMax, over: upcoming === undefined, watcher });
      const rest = finish === undefined || watcher.stoppedBy !== '' ? '' : watcher.flush();
      choice.text += rest;
      const opening = run.predictedN === 1 ? format.begin(choice) : '';
      const shown = text + rest;
      const body = piece === undefined || shown === '' ? '' : format.piece(choice, { ...piece, text: shown });
      if (!write(opening + body)) return false;
      if (finish === undefined) return true;
      // Only now: the reason belongs to the frame after the last piece.
      choice.finish = finish;
      endChoice(generation, choice);
      return false;
    },
    generatedText: () => choice.reasoning + choice.text + choice.arguments,
    abandoned() {
      if (!exchange.proxied) exchange.destroy();
      else if (!exchange.started) exchange.error(new EngineError(500, modelGone));
      else {
        exchange.write(modelGone);
        exchange.end();
      }
    },
  };
}

/** Adds a piece to its choice; returns the text of it that may be shown by now. */
function takePiece(choice: Choice, piece: Piece | undefined, watcher: StopWatcher): string {
  if (piece === undefined) return '';
  if (piece.kind === 'text') {
    const shown = watcher.feed(piece.text);
    choice.text += shown;
    choice.stoppedBy = watcher.stoppedBy;
    return shown;
  }
  if (piece.kind === 'reasoning') choice.reasoning += piece.text;
  else choice.arguments += piece.text;
  return piece.text;
}

interface TokenFacts {
  readonly choice: Choice;
  readonly run: SlotRun;
  readonly tokensMax: number;
  /** The model has nothing more to say. */
  readonly over: boolean;
  readonly watcher: StopWatcher;
}

function finishReason({ choice, run, tokensMax, over, watcher }: TokenFacts): Choice['finish'] {
  if (watcher.stoppedBy !== '') return 'stop';
  if (over) return choice.tool === undefined ? 'stop' : 'tool_calls';
  return run.predictedN >= tokensMax ? 'length' : undefined;
}

function endChoice({ exchange, request, format, context }: Generation, choice: Choice): void {
  const allEnded = context.choices.every((each) => each.finish !== undefined);
  if (request.stream) {
    exchange.write(format.end(choice) + (allEnded ? format.close() : ''));
    if (allEnded) exchange.end();
  } else if (allEnded) {
    exchange.json(200, format.whole());
  }
}
