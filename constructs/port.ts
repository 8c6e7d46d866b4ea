import { Token } from 'cdktf';
import { parseTraffic } from '#core/policy/traffic';

/** A class of traffic that a policy names: a protocol, and for TCP and UDP ports of the destination. */
export class Port {
  /** A TCP port. */
  static tcp(port: number): Port {
    return new Port(`tcp/${numberText(port)}`);
  }

  /** TCP ports from `low` to `high`, both included. */
  static tcpRange(low: number, high: number): Port {
    return new Port(`tcp/${numberText(low)}-${numberText(high)}`);
  }

  /** A UDP port. */
  static udp(port: number): Port {
    return new Port(`udp/${numberText(port)}`);
  }

  /** UDP ports from `low` to `high`, both included. */
  static udpRange(low: number, high: number): Port {
    return new Port(`udp/${numberText(low)}-${numberText(high)}`);
  }

  /** Echo: ICMP over IPv4, ICMPv6 over IPv6. Errors about allowed traffic need no policy. */
  static icmp(): Port {
    return new Port('icmp');
  }

  /** Another IP protocol by its number, like 132 for SCTP. Both directions must be allowed. */
  static protocol(number: number): Port {
    return new Port(`protocol/${numberText(number)}`);
  }

  /** Every IP protocol and port. */
  static any(): Port {
    return new Port('any');
  }

  /** The text form, `tcp/8443`. */
  readonly text: string;

  private constructor(text: string) {
    if (!Token.isUnresolved(text)) parseTraffic(text);
    this.text = text;
  }
}

function numberText(value: number): string {
  return Token.isUnresolved(value) ? Token.asString(value) : String(value);
}
