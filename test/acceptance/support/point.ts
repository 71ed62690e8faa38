/** What a point of the checklist is: its number, the transports it is tried on, and the test. */
import type { Room } from './room';
import { allTransports, type TransportName } from './transports';
import type { Trial } from './trial';

export interface Point {
  readonly number: number;
  readonly title: string;
  readonly transports: readonly TransportName[];
  /** With processes of its own, or with a host and two clients that several points use in turn. */
  readonly test:
    | { readonly kind: 'own'; run(trial: Trial): Promise<void> }
    | { readonly kind: 'room'; run(room: Room): Promise<void> };
}

export function point(
  number: number,
  title: string,
  transports: readonly TransportName[],
  run: (trial: Trial) => Promise<void>,
): Point {
  return { number, title, transports, test: { kind: 'own', run } };
}

/** On every transport, in a session of H, A and B whose target is stopped; leaves it so. */
export function inRoom(number: number, title: string, run: (room: Room) => Promise<void>): Point {
  return { number, title, transports: allTransports, test: { kind: 'room', run } };
}
