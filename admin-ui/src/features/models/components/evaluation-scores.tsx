import { Group, Stack, Table, Text } from '@mantine/core';
import type { EvaluatedModel, ModelDetails } from '@/api/types';
import { counted, percent, words } from '@/components/ui/format';
import classes from './evaluation-scores.module.css';
import { VerdictBadge } from './verdict-badge';

/** Scores of the new model beside those that it may replace, for each entity type. */
export function EvaluationScores({ details: { model, evaluation } }: { details: ModelDetails }) {
  const own = evaluation.find((each) => each.role === 'self');
  if (!own?.scores) {
    return (
      <Text size="sm" c="dimmed">
        {model.verdict?.reason ??
          (evaluation.length === 0
            ? 'It was not compared: no text was held out for that.'
            : 'The comparison is not over yet.')}
      </Text>
    );
  }

  const compared = evaluation.filter((each) => each.scores !== null);
  const types = [...new Set(compared.flatMap((each) => Object.keys(each.scores?.byType ?? {})))].toSorted(
    (a, b) => (own.scores?.byType[b]?.expected ?? 0) - (own.scores?.byType[a]?.expected ?? 0),
  );
  return (
    <Stack gap="sm">
      {model.verdict && (
        <Group gap="sm" align="center">
          <VerdictBadge verdict={model.verdict.verdict} />
          <Text size="sm">{model.verdict.reason}</Text>
        </Group>
      )}
      <Table.ScrollContainer minWidth={140 + compared.length * 120} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table verticalSpacing={6} withRowBorders>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>F1 score</Table.Th>
              {compared.map((each) => (
                <Table.Th key={each.role}>{nameOf(each)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            <ScoreRow
              name="All entities"
              isTotal
              scores={compared.map((each) => each.scores?.entities.f1 ?? null)}
            />
            {types.map((type) => (
              <ScoreRow
                key={type}
                name={type}
                scores={compared.map((each) => each.scores?.byType[type]?.f1 ?? null)}
              />
            ))}
            <ScoreRow
              name="Relationships"
              isTotal
              scores={compared.map((each) => each.scores?.relationships.f1 ?? null)}
            />
            <ScoreRow
              name="Readable answers"
              isTotal
              scores={compared.map((each) => each.scores?.validRate ?? null)}
            />
            {own.scores.emptyTexts && <InventionRow models={compared} />}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="xs" c="dimmed">
        From the same {counted(own.scores.chunks, 'text')} that no model was trained on. 100 % would be every verified
        entity found and nothing else.
        {own.scores.emptyTexts &&
          ` In ${counted(own.scores.emptyTexts.texts, 'text')} people verified that there is nothing to find; whatever a model finds there, it invents.`}
      </Text>
      {evaluation
        .filter((each) => each.problem)
        .map((each) => (
          <Text key={each.role} size="xs">
            {nameOf(each)} could not be asked: {each.problem}
          </Text>
        ))}
    </Stack>
  );
}

interface ScoreRowProps {
  name: string;
  isTotal?: boolean;
  scores: readonly (number | null)[];
}

/** The first score is the new model's. */
function ScoreRow({ name, isTotal = false, scores }: ScoreRowProps) {
  const best = Math.max(...scores.map((each) => each ?? -1));
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={isTotal ? 650 : 400}>
        {name}
      </Table.Th>
      {scores.map((score, index) => (
        <Table.Td key={index}>
          {score === null ? (
            <Text size="sm" c="dimmed">
              –
            </Text>
          ) : (
            <>
              <Text size="sm" fw={score === best ? 700 : 400}>
                {percent(score)}
              </Text>
              <div className={classes.track} aria-hidden>
                <div
                  className={index === 0 ? classes.own : classes.other}
                  style={{ width: `${Math.round(score * 100)}%` }}
                />
              </div>
            </>
          )}
        </Table.Td>
      ))}
    </Table.Tr>
  );
}

/** What each model found where nothing is to be found: here less is better. */
function InventionRow({ models }: { models: readonly EvaluatedModel[] }) {
  const fewest = Math.min(...models.map((each) => each.scores?.emptyTexts?.inventedEntities ?? Infinity));
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={650}>
        Invented in texts with nothing to find
      </Table.Th>
      {models.map(({ role, scores }) => (
        <Table.Td key={role}>
          {scores?.emptyTexts ? (
            <Text size="sm" fw={scores.emptyTexts.inventedEntities === fewest ? 700 : 400}>
              {counted(scores.emptyTexts.inventedEntities, 'entity', 'entities')} in{' '}
              {counted(scores.emptyTexts.withInventions, 'text')}
            </Text>
          ) : (
            <Text size="sm" c="dimmed">
              –
            </Text>
          )}
        </Table.Td>
      ))}
    </Table.Tr>
  );
}

function nameOf(model: EvaluatedModel): string {
  switch (model.role) {
    case 'self':
      return `This model (v${model.version})`;
    case 'live':
      return model.version === null ? 'In use before' : `In use before (v${model.version})`;
    case 'best':
      return `Best so far (v${model.version})`;
    case 'general':
      return `General model (v${model.version})`;
    case 'base':
      return 'Base model';
    default:
      return words(model.role);
  }
}
