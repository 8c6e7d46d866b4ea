import { checkAttestable } from '#core/registration/attestable';
import { parseSelector } from '#core/registration/selector';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** `unix:uid:1001`: what an agent can find on a process. */
export const SELECTOR: TextRule = { check: (text) => checkAttestable(parseSelector(text)) };
