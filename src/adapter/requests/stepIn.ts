import { stepHandler } from './common';

/** One instruction (`t`). */
export const stepIn = stepHandler('stepInto');
