import type { components } from './schema';

type Schemas = components['schemas'];

export type CostForecast = Schemas['CostForecast'];
export type EvaluatedModel = Schemas['EvaluatedModelView'];
export type ExtractionFigures = Schemas['ExtractionFigures'];
export type ExportDetails = Schemas['ExportDetails'];
export type ExportInput = Schemas['ExportInput'];
export type ExportFile = Schemas['ExportFile'];
export type GeneralTraining = Schemas['GeneralTraining'];
export type Me = Schemas['Me'];
export type ModelDetails = Schemas['ModelDetails'];
export type ModelSummary = Schemas['ModelSummary'];
export type ModelVerdict = Schemas['ModelVerdictView']['verdict'];
export type OrganizationStatistics = Schemas['OrganizationStatistics'];
export type LastPreflight = Schemas['LastPreflight'];
export type PiiPolicy = Schemas['PiiPolicy'];
export type PreflightReport = Schemas['PreflightReport'];
export type PromptPart = Schemas['PromptPart'];
export type RunDetails = Schemas['RunDetails'];
export type RunEvent = Schemas['RunEvent'];
export type RunState = Schemas['RunSummary']['state'];
export type RunSummary = Schemas['RunSummary'];
export type RunTrigger = Schemas['RunSummary']['trigger'];
export type ScheduleParameters = Schemas['ScheduleParameters'];
export type ScheduleSettings = Schemas['ScheduleSettings'];
export type ScheduleView = Schemas['ScheduleView'];
export type SelectedModel = Schemas['SelectedModel'];
export type Started = Schemas['Started'];
export type TrainingMinimum = Schemas['TrainingMinimum'];
export type TrainingStatistics = Schemas['TrainingStatistics'];
export type TypeStatistics = Schemas['TypeStatistics'];
export type UiSettings = Schemas['UiSettings'];
export type VisibleOrganization = Schemas['VisibleOrganization'];
export type VisibleProject = Schemas['VisibleProject'];

/** A project, or an organization itself. */
export type Scope =
  | { kind: 'project'; id: string }
  | { kind: 'organization'; id: string };

/** The start of the cache keys of all that belongs to a scope. */
export function scopeKey(scope: Scope): readonly ['scope', Scope['kind'], string] {
  return ['scope', scope.kind, scope.id];
}
