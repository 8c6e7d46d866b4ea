import { type Enforcement, ENFORCEMENTS } from '#core/registration/entry';
import { Enforcement as Message } from '#proto/gen/symbolon/authority/types';

const MESSAGES: Readonly<Record<Enforcement, Message>> = {
  off: Message.ENFORCEMENT_OFF,
  inbound: Message.ENFORCEMENT_INBOUND,
  all: Message.ENFORCEMENT_ALL,
};

/** The message's value; undefined is "not said". */
export function enforcementToMessage(enforcement: Enforcement | undefined): Message {
  return enforcement === undefined ? Message.ENFORCEMENT_UNSPECIFIED : MESSAGES[enforcement];
}

/**
 * Enforcement from a message; undefined = not said. A value of a newer protocol goes to `refuse`, which throws: to take it for "not said" could open a
 * gate, or lose what was declared.
 */
export function enforcementFromMessage(value: Message, refuse: (why: string) => never): Enforcement | undefined {
  if (value === Message.ENFORCEMENT_UNSPECIFIED) return undefined;
  return ENFORCEMENTS.find((enforcement) => MESSAGES[enforcement] === value) ?? refuse(`enforcement ${value} is unknown`);
}
