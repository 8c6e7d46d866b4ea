/** A type of Terraform's type system, in the form of its JSON: `"string"`, `["set","string"]`, `["object",{"id":"string"}]`. */
export type CtyType =
  | 'string'
  | 'bool'
  | 'number'
  | readonly ['list' | 'set' | 'map', CtyType]
  | readonly ['object', Readonly<Record<string, CtyType>>];
