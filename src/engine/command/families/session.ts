/** .server .servers .clients .endsrv q qq .cls .echo * $$ */
import { UserError } from '../../base/errors';
import { noArguments } from '../arguments';
import type { CommandContext, ServerControl } from '../command';
import type { CommandRow } from '../rows';

const family = 'Session';

function servers({ servers: control }: CommandContext): ServerControl {
  if (!control) throw new UserError('Debugging servers cannot be used in this session.');
  return control;
}

function line(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

export const sessionCommands: readonly CommandRow[] = [
  {
    name: '.server',
    syntax: '.server TRANSPORT',
    summary: 'Starts a debugging server, e.g. .server tcp:port=5005.',
    tier: 1,
    family,
    whileRunning: 'run',
    async run(context, text) {
      const wanted = text.trim();
      if (wanted === '') throw new UserError('Which transport? For example: .server tcp:port=5005');
      context.write(line(await servers(context).start(wanted, context.issuer)));
    },
  },
  {
    name: '.servers',
    syntax: '.servers',
    summary: 'Lists the debugging servers of this session.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run(context, text) {
      noArguments('.servers', text);
      context.write(line(servers(context).list()));
    },
  },
  {
    name: '.endsrv',
    syntax: '.endsrv ID',
    summary: 'Ends a debugging server; clients that are attached stay.',
    tier: 1,
    family,
    whileRunning: 'run',
    async run(context, text) {
      const id = text.trim();
      if (!/^[0-9]{1,6}$/.test(id)) {
        throw new UserError(
          `Syntax error at '${id || '<EOL>'}': .endsrv ID, the number that .servers shows.`,
        );
      }
      context.write(line(await servers(context).end(Number(id))));
    },
  },
  {
    name: '.clients',
    syntax: '.clients',
    summary: 'Lists the clients of this session.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run(context, text) {
      noArguments('.clients', text);
      context.write(line(context.clients()));
    },
  },
  {
    name: 'q',
    syntax: 'q',
    summary: 'Ends the session, at the server only.',
    tier: 1,
    family,
    whileRunning: 'run',
    async run(context, text) {
      noArguments('q', text);
      if (context.issuer.remote) {
        throw new UserError(
          'q is for the server: a client ends the session for everybody with qq, and leaves alone by disconnecting (Ctrl+B, Enter).',
        );
      }
      context.session?.requireUnlocked();
      context.endSession();
    },
  },
  {
    name: 'qq',
    syntax: 'qq',
    summary: 'Ends the session for everybody.',
    tier: 1,
    family,
    whileRunning: 'run',
    async run(context, text) {
      noArguments('qq', text);
      context.session?.requireUnlocked();
      context.endSession();
    },
  },
  {
    name: '.cls',
    syntax: '.cls',
    summary: 'Clears the window.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run(context, text) {
      noArguments('.cls', text);
      context.clearScreen();
    },
  },
  {
    name: '.echo',
    syntax: '.echo TEXT',
    summary: 'Shows text.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run({ write }, text) {
      const shown = text.trim();
      const quoted = /^"([^"]*)"$/.exec(shown);
      write(`${quoted ? quoted[1] : shown}\n`);
    },
  },
  {
    name: '*',
    open: true,
    syntax: '* COMMENT',
    summary: 'A comment to the end of the line.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    takesWholeLine: true,
    async run() {},
  },
  {
    name: '$$',
    open: true,
    syntax: '$$ COMMENT',
    summary: 'A comment up to the next semicolon.',
    tier: 1,
    family,
    whileRunning: 'run',
    observer: true,
    async run() {},
  },
];
