/**
 * The texts of a session in one place: what WinDbg's documentation fixes is in its words, the rest is ours. Lines
 * end without `\n` here.
 */
import type { TargetState } from '../target/target';
import type { Role } from '../command/command';
import type { ClientInfo } from './protocol';
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
    `${name} acts on the machine of the debugging server and is refused to remote clients (unless their server has trust=full).`,
  observerOnly: (name: string) => `${name} is refused: you observe this session (.role).`,
  secureMode: (name: string) => `${name} is off in secure mode.`,
  noShell: 'Shell commands are off for the life of this debugger (.noshell).',
  secureState: (on: boolean) => `Secure mode is ${on ? 'on' : 'off'}.`,
  secureLate: 'Secure mode can be switched on only at the start of the debugger: vskd -secure.',
  secureStays: 'Secure mode stays on until the debugger ends.',
  badNumber: (text: string) => `Syntax error at '${text}': .secure [N], N being a number.`,
  quitLocked: 'Quitting is locked; .quit_lock /q TEXT unlocks it.',
  quitLock: (text: string | undefined) =>
    text === undefined ? 'Quitting is not locked.' : `Quitting is locked with '${text}'.`,
  quitLockSet: 'Quitting is locked already; .quit_lock /q TEXT unlocks it.',
  quitLockWrong: 'That is not the text quitting was locked with; .quit_lock shows it.',
  quitLockSyntax: 'Syntax error: .quit_lock, .quit_lock /s TEXT or .quit_lock /q TEXT.',
  roleSyntax: 'Syntax error: .role CLIENT observe|control|kick; .role alone lists the clients.',
  role: (id: number, role: string, identity: string) =>
    `${String(id).padStart(3)} ${role.padEnd(8)} ${identity}`,
  roleIsNow: (identity: string, role: Role) =>
    role === 'observe' ? `${identity} observes from now on.` : `${identity} has control from now on.`,
  kicked: (identity: string) => `${identity} was removed from the session.`,
  kickedBy: (identity: string) => `You were removed from the session by ${identity}.`,
  ownerRole: (identity: string) => `${identity} owns the session; only remote clients have a role.`,
  noSuchClient: (text: string) => `There is no client '${text}'; .role lists them.`,
  manyClients: (text: string, ids: readonly number[]) =>
    `'${text}' fits several clients; give one of the numbers ${ids.join(', ')} (.role lists them).`,
  nothingRuns: 'No command is running.',
  wall: (identity: string, text: string) => `*** ${identity}: ${text}`,
  remoteExitOwner: '.remote_exit is for debugging clients; the owner ends the session with q.',
  remoteExitTyped:
    '.remote_exit is for scripts of a client (-c, -cf, piped input); leave the session with Ctrl+B, Enter.',
  notConnected: 'No target is connected yet.',

  connectedAt: (identity: string, time: Date) => `${identity} connected at ${asctime(time)}`,
  client: ({ identity, lastActive, role, away }: ClientInfo) =>
    `${identity}, last active ${asctime(new Date(lastActive))}${role === 'observe' ? ', observes' : ''}${away ? ', away' : ''}`,
  leftOut: (lines: number) =>
    `... ${lines} ${lines === 1 ? 'line' : 'lines'} left out (this client reads too slowly)`,

  sessionOver: 'The session has ended.',
  endedByUser: 'The session has ended (quit).',
  targetClosed: 'The connection to the target was closed.',
  serverClosed: 'the debugging server closed the connection.',
  notBack: 'did not come back.',
  peerSilent: (seconds: number) => `no sign of life for ${seconds} s.`,

  connectedTarget: (what: string, time: Date, pointer64: boolean) =>
    `Connected to ${what} target at (${debuggerTime(time)}), ptr64 ${pointer64 ? 'TRUE' : 'FALSE'}`,
  established: (initialBreak: boolean) =>
    `Kernel Debugger connection established.${initialBreak ? '  (Initial Breakpoint requested)' : ''}`,
  stopFailed: (reason: string) => `The target stopped; its state could not be read: ${reason}`,
  stepDone: 'Single step',
  shutDown: 'The target stopped',
};
