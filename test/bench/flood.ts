/** `flood BYTES`: prints numbered lines and waits for its readers, as a long display of memory does. */
import type { Command } from '../../src/engine/command/command';

export const lineLength = 100;

export function floodLine(i: number): string {
  return `${String(i).padStart(lineLength - 1, '.')}\n`;
}

export const flood: Command = {
  name: 'flood',
  syntax: 'flood BYTES',
  summary: 'Prints much.',
  tier: 3,
  family: 'Bench',
  whileRunning: 'run',
  async run({ write, drained }, args) {
    const lines = Math.ceil(Number(args) / lineLength);
    for (let i = 0; i < lines; i += 256) {
      const count = Math.min(256, lines - i);
      write(Array.from({ length: count }, (_, k) => floodLine(i + k)).join(''));
      await drained();
    }
  },
};
