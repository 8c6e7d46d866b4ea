import { Token } from 'cdktf';
import { checkAttestable } from '#core/registration/attestable';
import { parseSelector } from '#core/registration/selector';

/** Something that a node's agent must find on a process to give it an identity. */
export class Selector {
  /** Processes of a Unix user. */
  static unixUid(uid: number): Selector {
    return Selector.of('unix', `uid:${numberText(uid)}`);
  }

  /** Processes of a Unix group. */
  static unixGid(gid: number): Selector {
    return Selector.of('unix', `gid:${numberText(gid)}`);
  }

  /** Processes in a cgroup, by its path in the cgroup file system, like `/apps/web`. */
  static cgroupPath(path: string): Selector {
    return Selector.of('cgroup', `path:${path}`);
  }

  /** Any other selector that the agent knows: `type` and `value` as in SPIRE's `type:value`. */
  static of(type: string, value: string): Selector {
    return new Selector(`${type}:${value}`);
  }

  /** The text form, `unix:uid:1001`. */
  readonly text: string;

  private constructor(text: string) {
    if (!Token.isUnresolved(text)) checkAttestable(parseSelector(text));
    this.text = text;
  }
}

function numberText(value: number): string {
  if (Token.isUnresolved(value)) return Token.asString(value);
  return String(value);
}
