import { Anchor, Grid, Stack, Text, Timeline, Title } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ExportDetails, ModelDetails, RunDetails } from '@/api/types';
import { Fact, Facts } from '@/components/ui/facts';
import { count, counted, duration, percent, usd } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { Loaded } from '@/components/ui/section';
import { useExport } from '@/features/exports/api/get-export';
import { exclusionWords, promptPartWords } from '@/features/exports/components/exclusions';
import { FileList } from '@/features/exports/components/file-list';
import { InsideExamples } from '@/features/exports/components/inside-examples';
import { useModel } from '@/features/models/api/get-model';
import { EvaluationScores } from '@/features/models/components/evaluation-scores';
import { useRun } from '../api/get-run';
import { ApprovalCard } from './approval-card';
import { runStates, triggers } from './run-states';
import { SplitBar } from './split-bar';

interface RunPanelProps {
  runId: string;
  hasModel: boolean;
  mayChange: boolean;
}

/** All that is known of one training. */
export function RunPanel({ runId, hasModel, mayChange }: RunPanelProps) {
  const run = useRun(runId);
  const dataset = useExport(runId);
  const model = useModel(hasModel ? runId : undefined);
  return (
    <Loaded query={run}>
      {(found) => (
        <Stack gap="xl">
          {found.run.state === 'awaiting_approval' ? (
            <ApprovalCard run={found.run} mayChange={mayChange} />
          ) : (
            found.run.reason && <Text size="sm">{found.run.reason}</Text>
          )}
          {hasModel && (
            <Part title="Is it better?">
              <Loaded query={model}>{(details) => <EvaluationScores details={details} />}</Loaded>
            </Part>
          )}
          <Grid gap="xl">
            <Grid.Col span={{ base: 12, sm: 6, lg: 4 }}>
              <Part title="Timeline">
                <RunTimeline details={found} />
              </Part>
            </Grid.Col>
            <Grid.Col span={{ base: 12, sm: 6, lg: 4 }}>
              <Part title="Training">
                <TrainingFacts details={found} model={model.data} />
              </Part>
            </Grid.Col>
            <Grid.Col span={{ base: 12, lg: 4 }}>
              <Part title="Dataset">
                <Loaded query={dataset}>{(each) => <Dataset dataset={each} mayRead={mayChange} />}</Loaded>
              </Part>
            </Grid.Col>
          </Grid>
        </Stack>
      )}
    </Loaded>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <Title order={3} size="h6" mb="xs">
        {title}
      </Title>
      {children}
    </div>
  );
}

function RunTimeline({ details: { run, timeline } }: { details: RunDetails }) {
  return (
    <Timeline active={timeline.length - 1} bulletSize={18} lineWidth={2}>
      {timeline.map((event, index) => {
        const next = timeline[index + 1];
        return (
          <Timeline.Item
            key={`${event.state}-${event.at}`}
            title={
              <Text size="sm" fw={600}>
                {runStates[event.state].label}
              </Text>
            }
            color={index === timeline.length - 1 ? runStates[event.state].color : undefined}
          >
            <Text size="xs" c="dimmed">
              <Moment at={event.at} />
              {next && ` · for ${duration(Date.parse(next.at) - Date.parse(event.at))}`}
            </Text>
            {event.reason && event.reason !== run.reason && <Text size="xs">{event.reason}</Text>}
          </Timeline.Item>
        );
      })}
    </Timeline>
  );
}

function TrainingFacts({ details: { run }, model }: { details: RunDetails; model: ModelDetails | undefined }) {
  const { tuning, export: criteria } = run.parameters;
  const chosen = (value: number | null | undefined) => value ?? 'chosen by the service';
  return (
    <Facts>
      <Fact name="Started by">
        {run.requestedBy.name} · {triggers[run.trigger]}
      </Fact>
      {run.endedAt && <Fact name="Took">{duration(Date.parse(run.endedAt) - Date.parse(run.createdAt))}</Fact>}
      {run.baseModel && <Fact name="On top of">{run.parentModelId ? `the general model (${run.baseModel})` : run.baseModel}</Fact>}
      <Fact name="Confidence">
        {criteria.humanReviewedOnly
          ? 'only what people have reviewed'
          : `reviewed, or accepted with at least ${percent(criteria.minConfidence ?? 0)}`}
      </Fact>
      <Fact name="Epochs">{chosen(tuning.epochs)}</Fact>
      <Fact name="Learning rate">{tuning.learningRateMultiplier ? `× ${tuning.learningRateMultiplier}` : chosen(null)}</Fact>
      {(run.cost.actualUsd ?? run.cost.estimatedUsd) !== null && (
        <Fact name="Cost">
          {run.cost.actualUsd === null
            ? `about ${usd(run.cost.estimatedUsd ?? 0)}`
            : `${usd(run.cost.actualUsd)} by the tokens that were billed`}
        </Fact>
      )}
      {typeof run.approval?.approvedUsd === 'number' && (
        <Fact name="Approved">
          {usd(run.approval.approvedUsd)}
          {run.approval.approvedAt && (
            <>
              , <Moment at={run.approval.approvedAt} />
            </>
          )}
        </Fact>
      )}
      {model?.tuning && (
        <Fact name="Learnt from">
          {counted(model.tuning.examples, 'example')} in {counted(model.tuning.steps, 'step')}
          {model.tuning.droppedExamples > 0 &&
            `; the service left ${count(model.tuning.droppedExamples)} out: ${model.tuning.droppedReasons.join('; ')}`}
        </Fact>
      )}
      {run.tuningJob && (
        <Fact name="Tuning job">
          <Anchor href={run.tuningJob.consoleUrl} target="_blank" rel="noreferrer" size="sm">
            Open in Google’s console <IconExternalLink size={14} aria-label="(new tab)" />
          </Anchor>
        </Fact>
      )}
    </Facts>
  );
}

function Dataset({ dataset: { id, result, progress }, mayRead }: { dataset: ExportDetails; mayRead: boolean }) {
  if (!result) {
    return (
      <Text size="sm" c="dimmed">
        {progress
          ? `${count(progress.examples)} examples out of ${count(progress.candidates)} texts until now.`
          : 'No files were written.'}
      </Text>
    );
  }

  const excluded = Object.entries(result.excluded).filter(([, number]) => number > 0);
  return (
    <Stack gap="sm">
      <SplitBar counts={result.counts} />
      {excluded.length > 0 && (
        <Text size="sm">
          Left out: {excluded.map(([reason, number]) => `${count(number)} ${exclusionWords(reason)}`).join(', ')}.
        </Text>
      )}
      {result.leftOutOfPrompts.length > 0 && (
        <Text size="sm">
          Not all that your projects say of their types fits into a prompt. No prompt shows{' '}
          {result.leftOutOfPrompts.map(promptPartWords).join('; ')}.
        </Text>
      )}
      <InsideExamples result={result} />
      <FileList exportId={id} files={result.files} mayRead={mayRead} />
    </Stack>
  );
}
