/** A session of a host H and two clients A and B, all on one transport, for several points in turn. */
import type { VskdProcess } from '../../support/vskdProcess';
import type { Door } from './transports';
import { settled, type Trial } from './trial';

export interface Room {
  readonly trial: Trial;
  readonly door: Door;
  readonly h: VskdProcess;
  readonly a: VskdProcess;
  readonly b: VskdProcess;
  /** Matches the identity of a client: `DEV\ann (tcp 127.0.0.1:63141)`. */
  readonly identity: string;
  /** How the others see a command of a client. */
  readonly author: string;
}

/** As the source of a regular expression, as all in this file. */
export const prompt = '(?:\\d+: )?kd> ';

export async function openRoom(trial: Trial): Promise<Room> {
  const { h, a, door } = await trial.session();
  const b = await trial.another(h, door);
  await settled(h, a, b);
  const identity = identityOf(trial.transport.word);
  return { trial, door, h, a, b, identity, author: `\\[${identity}\\] ${prompt}` };
}

/** As the source of a regular expression. */
export function identityOf(word: string): string {
  return `[^\\s\\\\\\[]+\\\\\\S+ \\(${word} [^()]+\\)`;
}

/** Quiet again, and everything so far is seen. */
export async function quiet({ h, a, b }: Room): Promise<void> {
  await settled(h, a, b);
  await settled(a, h, b);
  await settled(b, h, a);
}
