/** What a policy says about the connections that it names. */
export enum Action {
  /** They may be opened, if no policy denies them. */
  ALLOW = 'allow',
  /** They may not be opened, whatever else allows them. */
  DENY = 'deny',
}
