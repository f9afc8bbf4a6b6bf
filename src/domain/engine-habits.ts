/** What one kind of engine takes in requests and how it answers, beyond the API it speaks: facts, no behaviour. */

/** Ways to tell an engine to think or not, in a chat completion. */
export type ReasoningControl =
  /** `chat_template_kwargs.enable_thinking`, and `reasoning_effort` for templates that read it. */
  | 'template'
  /** `reasoning_effort`. */
  | 'effort'
  /** Nothing is understood. */
  | 'none';

export interface EngineHabits {
  /** Top-level members that it does not know: some engines refuse the request for one. */
  readonly unknownMembers: 'ignored' | 'refused';
  /** Takes `top_k`, `min_p`, `repeat_penalty` and their like beside OpenAI's own sampling members. */
  readonly takesMoreSamplers: boolean;
  /** How it calls its repeat penalty in OpenAI's dialects. */
  readonly repeatPenaltyName: 'repeat_penalty' | 'repetition_penalty';
  readonly reasoningControl: ReasoningControl;
  /** Member that limits the tokens of a thought in a chat completion; absent = it has none. */
  readonly reasoningBudgetMember?: 'thinking_budget_tokens';
  /** Member in which thoughts of earlier turns go back to it. */
  readonly reasoningMember: 'reasoning_content' | 'reasoning';
  /** Takes role `developer`; else such messages go as `system`. */
  readonly takesDeveloperRole: boolean;
  /** Takes `tool_choice` and `parallel_tool_calls`. */
  readonly takesToolChoice: boolean;
  /** Takes images by URL, not only as data. */
  readonly takesImageUrls: boolean;
  /** Streams of chat and text completions tell what they cost; else they have to be asked to (`stream_options.include_usage`). */
  readonly streamsTellUsage: boolean;
  /** Takes `return_progress`, which also makes it notice during the prompt that its client has left. */
  readonly tellsProgress: boolean;
  /** Keeps its answers of the Responses API, so that later requests can go on from them (`previous_response_id`). */
  readonly keepsAnswers: boolean;
  /** Takes `max_completion_tokens`; else the limit goes as `max_tokens`. */
  readonly wantsMaxCompletionTokens: boolean;
  /** Counts the tokens of a chat completion (`/v1/chat/completions/input_tokens`), and answers as the Responses API does. */
  readonly countsChatTokens?: true;
}
