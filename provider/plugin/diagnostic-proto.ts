import {
  type AttributePath,
  type AttributePath_Step,
  type Diagnostic as DiagnosticMessage,
  Diagnostic_Severity as Severity,
} from '#proto/gen/tfplugin/tfplugin6';
import type { Diagnostic } from './diagnostic.ts';
import type { Path } from './path.ts';

/** A path as the protocol has it. It ends before an element of a set, which the protocol cannot name. */
export function pathToProto(path: Path): AttributePath {
  const steps: AttributePath_Step[] = [];
  for (const step of path) {
    if ('member' in step) break;
    if ('attribute' in step) steps.push({ selector: { $case: 'attributeName', value: step.attribute } });
    else if ('key' in step) steps.push({ selector: { $case: 'elementKeyString', value: step.key } });
    else steps.push({ selector: { $case: 'elementKeyInt', value: BigInt(step.index) } });
  }
  return { steps };
}

/** Diagnostics as the protocol has them. */
export function diagnosticsToProto(diagnostics: readonly Diagnostic[]): DiagnosticMessage[] {
  return diagnostics.map((d) => ({
    severity: d.severity === 'error' ? Severity.ERROR : Severity.WARNING,
    summary: d.summary,
    detail: d.detail,
    attribute: d.path ? pathToProto(d.path) : undefined,
  }));
}
