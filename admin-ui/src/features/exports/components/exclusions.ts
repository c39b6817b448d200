import type { PromptPart } from '@/api/types';

const reasons: Readonly<Record<string, string>> = {
  no_source_chunk: 'without a known source text',
  empty_text: 'with an empty text',
  undecided_objects: 'with too many undecided entities',
  no_entity: 'without a verified entity',
  invalid_text: 'with a damaged text',
  invalid_answer: 'whose content cannot be written',
  pii: 'with personal data',
  too_many_tokens: 'that are too long',
  duplicate: 'that repeat another one',
  held_out_text: 'whose text is held out elsewhere',
  validation_full: 'beyond the limit of validation',
};

/** Why texts did not become examples, to follow their number; a reason that is new here is shown as it is. */
export function exclusionWords(reason: string): string {
  return reasons[reason] ?? reason.replaceAll('_', ' ');
}

/** What of a type stands in no prompt; the placeholder in its name stands for the personal data. */
export function promptPartWords({ kind, type, part }: PromptPart): string {
  switch (part) {
    case 'type':
      return `the ${kind} type “${type}”, and nothing of that type`;
    case 'field':
      return `a field of the ${kind} type “${type}”`;
    default:
      return `personal data in the description of the ${kind} type “${type}”`;
  }
}
