import type { ApplyResourceChange_Request, ApplyResourceChange_Response } from '#proto/gen/tfplugin/tfplugin6';
import { createReport, failedOperation } from '../diagnostic.ts';
import { diagnosticsToProto } from '../diagnostic-proto.ts';
import { fromDynamic, toDynamic } from '../dynamic-value.ts';
import { appliedState } from '../plan-change.ts';
import { decodePrivateState, encodePrivateState, type PrivateState } from '../private-state.ts';
import type { ProviderProcess } from './process.ts';
import type { Operation, Resource, Stored } from '../resource.ts';
import type { Attributes, Model } from '../schema/attribute.ts';
import { validateAttributes } from '../schema/validate.ts';
import { isUnknown } from '../values/unknown.ts';
import type { ValueRecord } from '../values/value.ts';

interface Change {
  readonly prior: ValueRecord | null;
  readonly planned: ValueRecord | null;
}

/** Computed values that only the operation will know are null for it. */
function knownModel(planned: ValueRecord): Model<Attributes> {
  return Object.fromEntries(Object.entries(planned).map(([name, value]) => [name, isUnknown(value) ? null : value]));
}

async function carryOut<C>(
  resource: Resource<Attributes, C>,
  change: Change,
  operation: Operation<C>,
): Promise<Stored<Attributes> | undefined> {
  const { prior, planned } = change;
  if (planned === null) {
    if (prior !== null) await resource.delete(prior, operation);
    return undefined;
  }
  const model = knownModel(planned);
  return prior === null ? resource.create(model, operation) : resource.update(prior, model, operation);
}

/** Creates, updates or deletes. A failure leaves the state as it was before. */
export async function applyChange<C>(
  process: ProviderProcess<C>,
  request: ApplyResourceChange_Request,
): Promise<ApplyResourceChange_Response> {
  const resource = process.resource(request.typeName);
  const { attributes } = resource;
  const change = { prior: fromDynamic(request.priorState, attributes), planned: fromDynamic(request.plannedState, attributes) };
  const report = createReport();
  const answer = (state: ValueRecord | null, privateState: PrivateState): ApplyResourceChange_Response => ({
    newState: toDynamic(state, attributes),
    private: encodePrivateState(privateState),
    diagnostics: diagnosticsToProto(report.diagnostics),
  });
  const before = decodePrivateState(request.plannedPrivate);
  const verb = change.planned === null ? 'delete' : change.prior === null ? 'create' : 'update';
  if (process.stopped) {
    report.error(
      `Cannot ${verb} ${resource.typeName}`,
      'Terraform was interrupted before this change began; nothing was changed. Apply again.',
    );
    return answer(change.prior, before);
  }
  // What was unknown at plan has its value only now.
  const invalid = change.planned === null ? [] : validateAttributes(attributes, knownModel(change.planned) as ValueRecord);
  if (invalid.length > 0) {
    return { ...answer(change.prior, before), diagnostics: diagnosticsToProto(invalid) };
  }
  try {
    const stored = await carryOut(resource, change, process.operation(report, before));
    return stored === undefined || change.planned === null
      ? answer(null, {})
      : answer(appliedState(attributes, change.planned, stored.values), stored.private);
  } catch (error) {
    const { summary, detail } = failedOperation(`Cannot ${verb} ${resource.typeName}`, error);
    process.log('error', 'change failed', { type: resource.typeName, verb, error: detail });
    report.error(summary, detail);
    return answer(change.prior, before);
  }
}
