import { parseSelector } from '#core/registration/selector';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** `unix:uid:1001`. */
export const SELECTOR: TextRule = { check: parseSelector };
