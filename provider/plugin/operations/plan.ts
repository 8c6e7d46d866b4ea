import type { PlanResourceChange_Request, PlanResourceChange_Response } from '#proto/gen/tfplugin/tfplugin6';
import { createReport } from '../diagnostic.ts';
import { diagnosticsToProto, pathToProto } from '../diagnostic-proto.ts';
import { fromDynamic, toDynamic } from '../dynamic-value.ts';
import { planChange } from '../plan-change.ts';
import type { ProviderProcess } from './process.ts';
import type { PlanBegin } from '../resource.ts';
import { validateAttributes } from '../schema/validate.ts';
import type { ValueRecord } from '../values/value.ts';

/** A plan without prior state that has private state is the second half of a replacement. */
function beginOf(prior: ValueRecord | null, priorPrivate: Uint8Array): PlanBegin {
  const id = prior?.['id'];
  if (typeof id === 'string') return { kind: 'object', id };
  return { kind: priorPrivate.length === 0 ? 'nothing' : 'replaced' };
}

/** Plans a create, update or destroy. Values that were unknown at validation may be known by now: they are checked again. */
export function planResource<C>(process: ProviderProcess<C>, request: PlanResourceChange_Request): PlanResourceChange_Response {
  const resource = process.resource(request.typeName);
  const { attributes } = resource;
  const proposed = fromDynamic(request.proposedNewState, attributes);
  if (proposed === null) {
    return { plannedState: toDynamic(null, attributes), requiresReplace: [], plannedPrivate: request.priorPrivate, diagnostics: [] };
  }
  const prior = fromDynamic(request.priorState, attributes);
  const config = fromDynamic(request.config, attributes) ?? proposed;
  const invalid = validateAttributes(attributes, config);
  const report = createReport();
  if (invalid.length === 0) resource.check?.(config, report);
  if (invalid.length > 0 || report.hasErrors()) {
    return {
      plannedState: request.proposedNewState,
      requiresReplace: [],
      plannedPrivate: request.priorPrivate,
      diagnostics: diagnosticsToProto([...invalid, ...report.diagnostics]),
    };
  }
  const { planned, requiresReplace } = planChange(resource, prior, proposed, config);
  if (process.connection !== undefined) resource.checkPlan?.(planned, process.connection, report, beginOf(prior, request.priorPrivate));
  return {
    plannedState: toDynamic(planned, attributes),
    requiresReplace: requiresReplace.map(pathToProto),
    plannedPrivate: request.priorPrivate,
    diagnostics: diagnosticsToProto(report.diagnostics),
  };
}
