import { stepHandler } from './common';

/** To the caller (`gu`). */
export const stepOut = stepHandler('stepOut');
