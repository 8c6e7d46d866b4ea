import type { UpgradeResourceState_Request, UpgradeResourceState_Response } from '#proto/gen/tfplugin/tfplugin6';
import { toDynamic } from '../dynamic-value.ts';
import type { Attributes } from '../schema/attribute.ts';
import { typeOfAttributes } from '../schema/type-of.ts';
import { decodeStateJson } from '../values/json.ts';
import { isRecord } from '../values/value.ts';

/** State from a state file in today's schema. Core asks at every refresh, also when the version is the same. */
export function upgradeState(
  resource: { readonly attributes: Attributes },
  request: UpgradeResourceState_Request,
): UpgradeResourceState_Response {
  const json = Buffer.from(request.rawState?.json ?? []).toString();
  const state = decodeStateJson(json || 'null', typeOfAttributes(resource.attributes));
  return { upgradedState: toDynamic(isRecord(state) ? state : null, resource.attributes), diagnostics: [] };
}
