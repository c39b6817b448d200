import { Badge, Button, Group, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp, IconCpu, IconPlayerEject } from '@tabler/icons-react';
import { useState } from 'react';
import type { ModelSummary, Scope } from '@/api/types';
import { Fact, Facts } from '@/components/ui/facts';
import { counted } from '@/components/ui/format';
import { Moment } from '@/components/ui/moment';
import { ReasonModal } from '@/components/ui/reason-modal';
import { Loaded, Section } from '@/components/ui/section';
import { useDeprecateModel, usePromoteModel } from '../api/change-model';
import { useModel } from '../api/get-model';
import { useModels } from '../api/list-models';
import { useSelectedModel } from '../api/select-model';
import { TaintBadge } from './taint-badge';
import { VerdictBadge } from './verdict-badge';

interface CurrentModelSectionProps {
  scope: Scope;
  mayChange: boolean;
}

interface Asked {
  what: 'promote' | 'roll-back' | 'deprecate';
  model: ModelSummary;
}

const shownVersions = 4;

/** The model that extractions use, how good it is, and the ways to another one. */
export function CurrentModelSection({ scope, mayChange }: CurrentModelSectionProps) {
  const models = useModels(scope);
  const [asked, setAsked] = useState<Asked | null>(null);
  return (
    <Section
      title={scope.kind === 'project' ? 'Current model' : 'General model'}
      icon={<IconCpu size={20} />}
      description={scope.kind === 'project' ? 'What the next extraction uses' : 'What projects without a model of their own use'}
    >
      <Loaded query={models}>
        {(found) => {
          const current = found.find((model) => model.status === 'ready');
          const others = found.filter((model) => model.status === 'deprecated');
          const newest = found.toSorted((a, b) => b.version - a.version)[0];
          const previous = others
            .filter((model) => model.promotedAt !== null && model.verdict?.verdict !== 'worse')
            .toSorted((a, b) => (b.promotedAt ?? '').localeCompare(a.promotedAt ?? ''))[0];
          return (
            <Stack>
              {current ? (
                <ModelCard model={current} />
              ) : (
                <NoModel scope={scope} hasModels={others.length > 0} />
              )}
              {newest?.status === 'deprecated' && newest.promotedAt === null && newest.statusReason !== null && (
                <div>
                  <Text size="sm" fw={600}>
                    The newest version, v{newest.version}, was kept back
                  </Text>
                  <Reason reason={newest.statusReason} />
                </div>
              )}
              {mayChange && current && (
                <Group gap="xs">
                  {previous && (
                    <Button
                      variant="default"
                      size="sm"
                      leftSection={<IconArrowBackUp size={18} />}
                      onClick={() => setAsked({ what: 'roll-back', model: previous })}
                    >
                      Roll back to v{previous.version}
                    </Button>
                  )}
                  <Button
                    variant="default"
                    size="sm"
                    leftSection={<IconPlayerEject size={18} />}
                    onClick={() => setAsked({ what: 'deprecate', model: current })}
                  >
                    Take out of use
                  </Button>
                </Group>
              )}
              {others.length > 0 && (
                <Stack gap="xs">
                  <Title order={3} size="h6">
                    Other versions
                  </Title>
                  {others.slice(0, shownVersions).map((model) => (
                    <Group key={model.id} justify="space-between" gap="xs">
                      <Group gap="xs">
                        <Text size="sm" fw={600}>
                          v{model.version}
                        </Text>
                        {model.verdict && <VerdictBadge verdict={model.verdict.verdict} />}
                        {model.taint && <TaintBadge taint={model.taint} />}
                        <Text size="xs" c="dimmed">
                          <Moment at={model.createdAt} as="ago" />
                        </Text>
                      </Group>
                      {mayChange && (
                        <Button
                          size="compact-sm"
                          variant="light"
                          onClick={() => setAsked({ what: 'promote', model })}
                        >
                          Use version {model.version}
                        </Button>
                      )}
                    </Group>
                  ))}
                </Stack>
              )}
              <ChangeModal asked={asked} current={current} scope={scope} onClose={() => setAsked(null)} />
            </Stack>
          );
        }}
      </Loaded>
    </Section>
  );
}

function ModelCard({ model }: { model: ModelSummary }) {
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Text fz={28} fw={700} lh={1.15}>
          Version {model.version}
        </Text>
        <Badge variant="light" size="lg" tt="none" styles={{ label: { color: 'var(--mantine-color-text)' } }}>
          {model.type === 'project' ? 'Project model' : 'General model'}
        </Badge>
        {model.verdict && <VerdictBadge verdict={model.verdict.verdict} />}
        {model.taint && <TaintBadge taint={model.taint} />}
      </Group>
      {model.taint && (
        <Text size="sm">
          Train it again: {model.taint.reason}. Until then extractions go on using it.
        </Text>
      )}
      {model.verdict && <Reason reason={model.verdict.reason} />}
      <Facts>
        {model.promotedAt && (
          <Fact name="In use since">
            <Moment at={model.promotedAt} />
          </Fact>
        )}
        <Fact name="Trained on">{counted(model.trainingExamples, 'example')}</Fact>
        <Fact name="Base">{model.baseModel}</Fact>
        <Fact name="On top of">
          {model.parentModelId ? (
            <ParentModel id={model.parentModelId} projectId={model.projectId} />
          ) : (
            'the base model itself'
          )}
        </Fact>
      </Facts>
    </Stack>
  );
}

/** The words first, the figures behind them for whoever wants to know. */
function Reason({ reason }: { reason: string }) {
  const [words = '', ...figures] = reason.split('; ');
  return (
    <div>
      <Text size="sm">{words.charAt(0).toUpperCase() + words.slice(1)}</Text>
      {figures.length > 0 && (
        <Text size="xs" c="dimmed">
          {figures.join('; ')}
        </Text>
      )}
    </div>
  );
}

/** A general model. Who sees the project only learns its version while the project would fall back on it. */
function ParentModel({ id, projectId }: { id: string; projectId: string | null }) {
  const selected = useSelectedModel(projectId ?? undefined).data;
  const fallback = selected?.fallbacks.find((model) => model.modelId === id);
  const parent = useModel(selected && !fallback ? id : undefined);
  const version = fallback?.version ?? parent.data?.model.version;
  return <>{version === undefined ? 'the organization’s general model' : `general model, version ${version}`}</>;
}

/** @param hasModels Whether there are some, of which none is in use. */
function NoModel({ scope, hasModels }: { scope: Scope; hasModels: boolean }) {
  const selected = useSelectedModel(scope.kind === 'project' ? scope.id : undefined);
  if (scope.kind === 'organization') {
    return (
      <Text size="sm">
        {hasModels
          ? 'None is in use: projects use the untrained base model.'
          : 'There is none yet: projects use the untrained base model. Train one when there are enough examples.'}
      </Text>
    );
  }

  return (
    <Loaded query={selected}>
      {(model) => (
        <Stack gap="sm">
          <Group gap="sm">
            <Text fz={28} fw={700} lh={1.15}>
              {model.tier === 'general' ? `General, version ${model.version}` : 'Base model'}
            </Text>
          </Group>
          <Text size="sm">
            {withoutOwn(model.tier === 'general', hasModels)}
          </Text>
          <Facts>
            <Fact name="Base">{model.baseModel}</Fact>
          </Facts>
        </Stack>
      )}
    </Loaded>
  );
}

function withoutOwn(isGeneral: boolean, hasModels: boolean): string {
  if (isGeneral) {
    return hasModels
      ? 'No model of this project is in use, so it uses that of its organization.'
      : 'This project has no model of its own, so it uses that of its organization.';
  }

  return hasModels
    ? 'No trained model is in use, neither of this project nor of its organization.'
    : 'Neither this project nor its organization has a trained model yet.';
}

interface ChangeModalProps {
  asked: Asked | null;
  current: ModelSummary | undefined;
  scope: Scope;
  onClose: () => void;
}

function ChangeModal({ asked, current, scope, onClose }: ChangeModalProps) {
  const promote = usePromoteModel();
  const deprecate = useDeprecateModel();
  const isDeprecation = asked?.what === 'deprecate';
  const isWorse = asked?.model.verdict?.verdict === 'worse';
  const version = asked?.model.version ?? 0;
  const done = (message: string) => () => {
    onClose();
    notifications.show({ color: 'teal', title: message, message: 'The next extraction goes by it.', role: 'status' });
  };
  const withoutIt =
    scope.kind === 'project' ? 'the general model, or the base model when there is none' : 'the base model';
  return (
    <ReasonModal
      opened={asked !== null}
      onClose={onClose}
      title={
        isDeprecation
          ? `Take version ${version} out of use?`
          : asked?.what === 'roll-back'
            ? `Roll back to version ${version}?`
            : `Use version ${version}?`
      }
      action={isDeprecation ? 'Take out of use' : asked?.what === 'roll-back' ? 'Roll back' : 'Use it'}
      isReasonNeeded={isDeprecation || isWorse || asked?.what === 'roll-back'}
      mutation={isDeprecation ? deprecate : promote}
      onConfirm={(reason) => {
        if (asked && isDeprecation) {
          deprecate.mutate({ id: asked.model.id, reason }, { onSuccess: done(`Version ${version} is out of use`) });
        } else if (asked) {
          promote.mutate({ id: asked.model.id, reason }, { onSuccess: done(`Version ${version} is in use`) });
        }
      }}
    >
      {isDeprecation
        ? `Extractions use ${withoutIt} from then on. You can put this version back into use at any time.`
        : `Extractions use version ${version}${current ? ` in place of version ${current.version}` : ''} from then on. Nothing is lost: you can change back at any time.`}
      {isWorse && ` On held-out texts it was worse: ${asked.model.verdict?.reason ?? ''}`}
    </ReasonModal>
  );
}
