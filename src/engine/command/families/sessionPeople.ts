/** .role .wall .cancel .wtitle .quit_lock .secure .remote_exit qd */
import { UserError } from '../../base/errors';
import { noArguments } from '../arguments';
import type { CommandContext, SessionControl } from '../command';
import type { CommandRow } from '../rows';

const family = 'Session';

function control({ session }: CommandContext): SessionControl {
  if (!session) throw new UserError('This command is for debugging sessions.');
  return session;
}

export const peopleCommands: readonly CommandRow[] = [
  {
    name: '.role',
    syntax: '.role [CLIENT observe|control|kick]',
    summary: 'Shows or changes who may do what; CLIENT is a number that .role shows, or a part of a name.',
    tier: 1,
    family,
    whileRunning: 'run',
    async run(context, text) {
      context.write(control(context).role(text.trim()));
    },
  },
  {
    name: '.wall',
    syntax: '.wall TEXT',
    summary: 'Shows a line from you to everybody, at once.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    atOnce: true,
    takesWholeLine: true,
    async run(context, text) {
      if (text.trim() === '') throw new UserError('What shall everybody read? .wall TEXT');
      control(context).wall(text.trim());
    },
  },
  {
    name: '.cancel',
    syntax: '.cancel',
    summary: 'Ends the running command, at once, as Ctrl+C does.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    atOnce: true,
    async run(context, text) {
      noArguments('.cancel', text);
      control(context).cancel();
    },
  },
  {
    name: '.wtitle',
    syntax: '.wtitle TEXT',
    summary: 'Sets the title of the window where it is typed.',
    tier: 2,
    family,
    whileRunning: 'run',
    observer: true,
    takesWholeLine: true,
    async run(context, text) {
      control(context).setTitle(text.trim());
    },
  },
  {
    name: '.quit_lock',
    syntax: '.quit_lock [/s TEXT | /q TEXT]',
    summary: 'Locks q and qq against accidents, unlocks them with the same text, or shows the lock.',
    tier: 2,
    family,
    whileRunning: 'run',
    async run(context, text) {
      context.write(control(context).quitLock(text.trim()));
    },
  },
  {
    name: '.secure',
    syntax: '.secure [N]',
    summary: 'Tells whether secure mode is on; it is set at the start of the debugger (-secure).',
    tier: 2,
    family,
    whileRunning: 'run',
    observer: true,
    async run(context, text) {
      context.write(control(context).secure(text.trim()));
    },
  },
  {
    name: '.remote_exit',
    syntax: '.remote_exit [COMMANDS]',
    summary: 'In a script of a client: runs COMMANDS, then the client exits; the session goes on.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    takesWholeLine: true,
    async run(context, text) {
      await control(context).remoteExit(text.trim());
    },
  },
  {
    name: 'qd',
    syntax: 'qd',
    summary: 'Quits and detaches; for user-mode targets, so refused here.',
    tier: 2,
    family,
    whileRunning: 'run',
    async run({ issuer }) {
      throw new UserError(
        issuer.remote
          ? 'qd is not for clients: leave the session with Ctrl+B, Enter, or end it for everybody with qq.'
          : 'qd is for user-mode targets; let the target run with bc *; g and end the session with q.',
      );
    },
  },
];
