/**
 * The texts of a session in one place: what WinDbg's documentation fixes is in its words, the rest is ours. Lines
 * end without `\n` here.
 */
import type { TargetState } from '../target/target';
import { asctime, debuggerTime } from './text';

export const messages = {
  busy: (state: TargetState) =>
    state === 'running' || state === 'stopped'
      ? '*BUSY* The target is running; the command waits until it stops (Ctrl+C breaks in).'
      : '*BUSY* The target is not reached yet; the command waits until it stops.',
  queueFull: (limit: number) => `Command refused: ${limit} commands are waiting already.`,
  tooLong: (length: number, limit: number) =>
    `Command refused: it has ${length} characters, at most ${limit} are allowed.`,
  unknownCommand: (text: string) => `Syntax error: there is no command '${text}'.`,
  cancelled: 'Command cancelled.',
  internal: (text: string) => `Internal error: ${text}`,
  hostOnly: (name: string) =>
    `${name} acts on the machine of the debugging server and is refused to remote clients.`,
  secureMode: (name: string) => `${name} is off in secure mode.`,
  noShell: 'Shell commands are off for the life of this debugger (-noshell).',
  notConnected: 'No target is connected yet.',

  connectedAt: (identity: string, time: Date) => `${identity} connected at ${asctime(time)}`,
  client: (identity: string, lastActive: Date) => `${identity}, last active ${asctime(lastActive)}`,
  leftOut: (lines: number) =>
    `... ${lines} ${lines === 1 ? 'line' : 'lines'} left out (this client reads too slowly)`,

  sessionOver: 'The session has ended.',
  endedByUser: 'The session has ended (quit).',
  targetClosed: 'The connection to the target was closed.',
  serverClosed: 'the debugging server closed the connection.',
  peerSilent: (seconds: number) => `no sign of life for ${seconds} s.`,

  connectedTarget: (what: string, time: Date, pointer64: boolean) =>
    `Connected to ${what} target at (${debuggerTime(time)}), ptr64 ${pointer64 ? 'TRUE' : 'FALSE'}`,
  established: (initialBreak: boolean) =>
    `Kernel Debugger connection established.${initialBreak ? '  (Initial Breakpoint requested)' : ''}`,
  stopFailed: (reason: string) => `The target stopped; its state could not be read: ${reason}`,
  stepDone: 'Single step',
  shutDown: 'The target stopped',
};
