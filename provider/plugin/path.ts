/** One step into a value. `member` is an element of a set: the protocol cannot point at one, so it shows in texts only. */
export type PathStep = { readonly attribute: string } | { readonly key: string } | { readonly index: number } | { readonly member: string };
/** Where in a resource's or the provider's configuration something is. */
export type Path = readonly PathStep[];

/** The path of a top-level attribute. */
export function attributePath(name: string, ...rest: readonly PathStep[]): Path {
  return [{ attribute: name }, ...rest];
}

/** A path as a person writes it: `authorities["east.example"].cert`, `sources.spiffe_ids["spiffe://…"]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if ('attribute' in step) text += text === '' ? step.attribute : `.${step.attribute}`;
    else if ('index' in step) text += `[${step.index}]`;
    else text += `[${JSON.stringify('key' in step ? step.key : step.member)}]`;
  }
  return text;
}
