import type {
  ExportDetails,
  GeneralTraining,
  ModelSummary,
  PreflightReport,
  RunSummary,
  ScheduleSettings,
  ScheduleView,
  SelectedModel,
} from '@/api/types';

const organization = '52507239-43f9-88ed-a010-a9e7e9ee7f6c';
const project = '04abcc8a-b2ae-8099-aa85-d34fe5822486';

/** A training as the API answers, changed as a test needs it. */
export function aRun(part: Partial<RunSummary> = {}): RunSummary {
  return {
    id: '01a2160c-f44b-7f8a-a6ea-ffa3da995aa5',
    organizationId: organization,
    projectId: project,
    trigger: 'manual',
    requestedBy: { kind: 'user', name: 'Olivia Organization-Admin' },
    state: 'succeeded',
    isOver: true,
    reason: null,
    progress: { candidates: 274, examples: 229, bytes: 730917 },
    trainExamples: 1164,
    validationExamples: 38,
    testExamples: 27,
    baseModel: 'gemini-3.1-flash-lite',
    parentModelId: null,
    model: {
      id: '01a2160c-f44b-7f8a-a6ea-ffa3da995aa5',
      version: 3,
      status: 'ready',
      verdict: 'better',
      verdictReason: 'entity F1 +0.801 (+0.771 to +0.834)',
    },
    cost: { estimatedUsd: 1.494, actualUsd: null },
    approval: null,
    tuningJob: null,
    parameters: { export: {}, tuning: {} },
    createdAt: '2026-11-26T04:11:17.451588+00:00',
    updatedAt: '2026-11-26T04:11:23.228757+00:00',
    endedAt: '2026-11-26T05:12:23.228757+00:00',
    ...part,
  };
}

export function someSettings(part: Partial<ScheduleSettings> = {}): ScheduleSettings {
  return {
    enabled: true,
    thresholdEnabled: true,
    thresholdCount: 100,
    cronEnabled: true,
    cronExpression: '0 2 * * 6',
    timeZone: 'Europe/Berlin',
    retrainOnGeneralUpdate: false,
    notifyProjectAdmins: false,
    retrainProjects: false,
    monthlyLimitUsd: null,
    noMonthlyLimit: false,
    piiFloor: null,
    parameters: {
      minConfidence: 0.85, humanReviewedOnly: false, countOwnAcceptances: false, epochs: null, learningRateMultiplier: null,
    },
    ...part,
  };
}

export function aSchedule(part: Partial<ScheduleView> = {}): ScheduleView {
  return {
    organizationId: organization,
    projectId: project,
    version: 4,
    settings: someSettings(),
    nextTimes: ['2026-11-28T02:00:00+01:00'],
    waitingSlot: null,
    estimate: { available: 82, minimum: 50, newSinceLastTraining: 12 },
    lastTrainingAt: null,
    lastExampleCount: null,
    lastDecision: null,
    openRunId: null,
    retries: 0,
    hold: null,
    spending: null,
    updatedAt: null,
    ...part,
  };
}

export function anExport(part: Partial<ExportDetails> = {}): ExportDetails {
  return {
    id: '01a2160c-0000-7f8a-a6ea-ffa3da995aa5',
    organizationId: organization,
    projectId: project,
    purpose: 'export',
    requestedBy: { kind: 'user', name: 'Olivia Organization-Admin' },
    state: 'exporting',
    isOver: false,
    reason: null,
    progress: { candidates: 90, examples: 81, bytes: 4000 },
    criteria: {},
    result: null,
    createdAt: new Date().toISOString(),
    updatedAt: new Date().toISOString(),
    endedAt: null,
    ...part,
  };
}

/** What an export has written and left out. */
export function aResult(): NonNullable<ExportDetails['result']> {
  return {
    uri: 'gs://bucket/folder',
    snapshotAt: '2026-11-26T04:11:17+00:00',
    promptHash: 'abc',
    counts: {
      candidates: 90,
      examples: 81,
      trainExamples: 60,
      validationExamples: 14,
      testExamples: 7,
      entities: 400,
      relationships: 200,
      estimatedTrainTokens: 90_000,
      entitiesNotInText: 0, emptyTexts: 0,
    },
    averages: { entities: 5, relationships: 2, chunkLength: 500, tokens: 900 },
    maxima: { entities: 9, relationships: 7, chunkLength: 900, tokens: 1500 },
    entityTypes: { System: 300 },
    relationshipTypes: {},
    excluded: { pii: 4, undecided_objects: 5, duplicate: 0 },
    leftOut: {},
    leftOutOfPrompts: [],
    files: [{ name: 'train.jsonl', examples: 60, bytes: 245_000, sha256: 'abc', href: '/training-export/exports/1/download/train.jsonl' }],
  };
}

export function aModel(part: Partial<ModelSummary> = {}): ModelSummary {
  return {
    id: '01a2160c-f44b-7f8a-a6ea-ffa3da995aa5',
    organizationId: organization,
    projectId: project,
    type: 'project',
    version: 3,
    status: 'ready',
    statusReason: null,
    baseModel: 'gemini-3.1-flash-lite',
    parentModelId: null,
    trainingExamples: 1164,
    validationExamples: 38,
    createdAt: '2026-11-26T04:11:17+00:00',
    trainingStartedAt: null,
    trainingCompletedAt: null,
    promotedAt: '2026-11-26T05:12:23+00:00',
    verdict: { verdict: 'better', reason: 'entity F1 +0.801 (+0.771 to +0.834)' },
    taint: null,
    ...part,
  };
}

type Fallback = SelectedModel['fallbacks'][number];

/** What a project extracts with: each tier of which there is a model, in this order. */
export function aSelection(...tiers: ('project' | 'general')[]): SelectedModel {
  const of = (tier: 'project' | 'general' | 'base'): Fallback => ({
    tier,
    modelId: tier === 'base' ? null : `${tier}-model`,
    version: tier === 'base' ? null : tier === 'project' ? 3 : 7,
    baseModel: 'gemini-3.1-flash-lite',
    endpoint: null,
    promptHash: null,
    reason: '',
    model: '',
    address: '',
    thinking: 'minimal',
  });
  const [first = of('base'), ...fallbacks] = [...tiers.map(of), of('base')];
  return { projectId: project, ...first, fallbacks, prompt: null };
}

/** The training of a general model that is on its way. */
export function aGeneralTraining(part: Partial<GeneralTraining> = {}): GeneralTraining {
  return { runId: 'general-run', state: 'tuning', parentModelId: null, parentModelVersion: null, baseModel: 'gemini', ...part };
}

/** A check that found nothing in the way. */
export function aPreflight(part: Partial<PreflightReport> = {}): PreflightReport {
  return {
    organizationId: organization,
    projectId: project,
    purpose: 'training',
    checkedAt: '2026-11-26T10:12:00Z',
    wouldStart: true,
    refusals: [],
    liveRun: null,
    minimum: 50,
    counts: {
      candidates: 143, examples: 139, trainExamples: 112, validationExamples: 12, testExamples: 15, entities: 300,
      relationships: 90, estimatedTrainTokens: 250_000, entitiesNotInText: 0, emptyTexts: 0,
    },
    excluded: { pii: 4 },
    leftOut: {},
    files: { 'train.jsonl': { examples: 112, bytes: 20_000, sha256: 'a' } },
    limits: [{ name: 'validation_bytes', value: 2_000, limit: 5_000 }],
    tuning: {
      region: 'us-central1',
      baseModel: 'gemini',
      parentModelId: 'general',
      parentModelVersion: 2,
      tokens: 250_000,
      epochs: 4,
      areEpochsAssumed: true,
      usdPerMillionTokens: 3,
      estimatedUsd: 3,
      monthlyLimitUsd: null,
      committedUsd: 0,
      approval: null,
      request: { parent: 'projects/p/locations/us-central1', tuningJob: { preTunedModel: {} } },
    },
    parameters: { export: {}, tuning: {} },
    generalTraining: null,
    ...part,
  };
}
