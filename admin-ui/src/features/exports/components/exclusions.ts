import type { PromptPart } from '@/api/types';

const reasons: Readonly<Record<string, string>> = {
  contributor_share: 'beyond the share of one person',
  forgotten: 'of forgotten documents',
  empty_share: 'with nothing to find, beyond their share',
  no_source_chunk: 'without a known source text',
  empty_text: 'with an empty text',
  undecided_objects: 'with too many undecided entities',
  no_entity: 'without a verified entity',
  unlisted_type: 'whose entities are all of types that the prompt does not list',
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

const partReasons: Readonly<Record<string, string>> = {
  personal_data: 'personal data',
  too_long: 'too long',
  characters: 'characters that no name may have',
  too_many: 'more than the prompt has room for',
};

/** What of a type stands in no prompt, and why; placeholders in its name stand for personal data. */
export function promptPartWords({ kind, type, part, reason = 'personal_data' }: PromptPart): string {
  const why = partReasons[reason] ?? reason.replaceAll('_', ' ');
  switch (part) {
    case 'type':
      return `the ${kind} type “${type}”, and nothing of that type (${why})`;
    case 'field':
      return `a field of the ${kind} type “${type}” (${why})`;
    default:
      return `the description of the ${kind} type “${type}” as it is (${why})`;
  }
}

const parts: Readonly<Record<string, string>> = {
  not_meaningful: 'entities without a name or a description that says enough',
  outside_example: 'relationships to an entity of another text',
  without_chunk: 'entities without a known source text',
  repeated_entities: 'entities merged into another one of the same type and name',
  repeated_relationships: 'relationships merged into another one of the same ends and type',
  relationships_to_itself: 'relationships of an entity with itself',
  ambiguous_relationships: 'relationships of an entity without a name',
  left_out_type: 'entities and relationships of types that the prompt does not list',
  repeated_types: 'types that equal another one but for case or spaces',
  unlisted_types: 'types that the prompt does not list',
  shortened_types: 'types whose description or fields the prompt does not show as they are',
};

/** What of an example's content was left out or merged, to follow its number. */
export function partWords(reason: string): string {
  return parts[reason] ?? reason.replaceAll('_', ' ');
}
