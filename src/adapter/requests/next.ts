import { stepHandler } from './common';

/** Over the instruction, calls included (`p`). */
export const next = stepHandler('stepOver');
