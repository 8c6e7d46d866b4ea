import type { DynamicValue, ValidateResourceConfig_Response } from '#proto/gen/tfplugin/tfplugin6';
import { createReport, type Report } from '../diagnostic.ts';
import { diagnosticsToProto } from '../diagnostic-proto.ts';
import { fromDynamic } from '../dynamic-value.ts';
import type { Attributes, Planned } from '../schema/attribute.ts';
import { validateAttributes } from '../schema/validate.ts';

interface Checked {
  readonly attributes: Attributes;
  check?(config: Planned<Attributes>, report: Report): void;
}

/** Checks a configuration, whose values may be unknown, by its attributes' rules; if these hold, by the rules across attributes. */
export function validateConfig(checked: Checked, config: DynamicValue | undefined): ValidateResourceConfig_Response {
  const values = fromDynamic(config, checked.attributes) ?? {};
  const diagnostics = validateAttributes(checked.attributes, values);
  if (diagnostics.length > 0) return { diagnostics: diagnosticsToProto(diagnostics) };
  const report = createReport();
  checked.check?.(values, report);
  return { diagnostics: diagnosticsToProto(report.diagnostics) };
}
