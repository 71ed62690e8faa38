/**
 * Who may do what in a session: roles, trust, secure mode, the quit lock, and the commands about them. One check
 * stands before every command and every typed request.
 */
import { UserError } from '../base/errors';
import type { Command, Role, SessionControl } from '../command/command';
import type { SessionClientEnd } from './clientEnd';
import { messages } from './messages';
import type { Session } from './session';
import { oneLine } from './text';

export interface PeopleOptions {
  readonly secure: boolean;
  readonly noShell: boolean;
}

/**
 * Off in secure mode besides all commands that touch the server's machine, as documented; those that do not exist
 * here are refused in the same words.
 */
const secureModeNames = new Set(
  [
    '.abandon .attach .create .detach .dump .kill .logappend .logopen .netuse .opendump .readmem .shell .tlist',
    '.writemem',
  ]
    .join(' ')
    .split(' '),
);

const longestWall = 1000;

/** How a line of commands was given. */
export interface Line {
  /** From `-c`, a script file or piped input. */
  readonly script: boolean;
  /** Runs more commands in the place of the one that asks, under the same checks. */
  run(commands: string): Promise<void>;
}

export class People {
  private readonly secure: boolean;
  private shellOff: boolean;
  private lock: string | undefined;

  constructor(
    private readonly session: Session,
    options: PeopleOptions,
  ) {
    this.secure = options.secure;
    this.shellOff = options.noShell;
  }

  /** Why a client may not use a command; undefined when it may. */
  refusal(command: Command, client: SessionClientEnd): string | undefined {
    const { name } = command;
    if (client.role === 'observe' && !command.observer) return messages.observerOnly(name);
    if (this.secure && (command.touchesHost || secureModeNames.has(name))) return messages.secureMode(name);
    if (this.shellOff && name === '.shell') return messages.noShell;
    return command.touchesHost && !client.trusted ? messages.hostOnly(name) : undefined;
  }

  /** What to say about a text that no command fits. */
  unknown(text: string): string {
    const [name = ''] = text.trim().toLowerCase().split(/\s/, 1);
    if (this.secure && secureModeNames.has(name)) return messages.secureMode(name);
    return messages.unknownCommand(oneLine(text, 60));
  }

  /** For typed requests; `what` is the request's name. */
  requireControl(client: SessionClientEnd, what: string): void {
    if (client.role === 'observe') throw new UserError(messages.observerOnly(what));
  }

  /** Ends the running command (an observer: its own); false when there was none. */
  cancel(client: SessionClientEnd): boolean {
    return this.session.queue.cancel(client.info.id, client.role === 'observe');
  }

  /** What a command of this client sees of the session. */
  controlFor(client: SessionClientEnd, line: Line): SessionControl {
    const { session } = this;
    return {
      role: (args) => (args === '' ? this.list() : this.setRole(args, client)),
      wall: (text) => session.notice(messages.wall(client.info.identity, oneLine(text, longestWall))),
      cancel: () => {
        if (!this.cancel(client)) throw new UserError(messages.nothingRuns);
      },
      setTitle: (text) => session.sendTo(client.info, 'title', { text: oneLine(text, 200) }),
      quitLock: (args) => this.quitLock(args),
      requireUnlocked: () => {
        if (this.lock !== undefined) throw new UserError(messages.quitLocked);
      },
      secure: (args) => this.secureMode(args),
      forbidShell: () => {
        this.shellOff = true;
        return `${messages.noShell}\n`;
      },
      remoteExit: async (commands) => {
        if (!client.info.remote) throw new UserError(messages.remoteExitOwner);
        if (!line.script) throw new UserError(messages.remoteExitTyped);
        await line.run(commands);
        session.sendTo(client.info, 'exit', {});
      },
    };
  }

  private list(): string {
    return this.session.clients
      .map(({ info, role }) => `${messages.role(info.id, info.remote ? role : 'owner', info.identity)}\n`)
      .join('');
  }

  private setRole(args: string, by: SessionClientEnd): string {
    const match = /^(.*\S)\s+(observe|control|kick)$/i.exec(args);
    if (!match) throw new UserError(messages.roleSyntax);
    const { session } = this;
    const client = this.find(match[1] ?? '');
    const { identity, remote } = client.info;
    if (!remote) throw new UserError(messages.ownerRole(identity));
    const wanted = (match[2] ?? '').toLowerCase() as Role | 'kick';
    session.audit({ event: 'role', client: client.info, role: wanted, by: by.info.identity });
    if (wanted === 'kick') {
      client.end(messages.kickedBy(by.info.identity));
      return `${messages.kicked(identity)}\n`;
    }
    client.role = wanted;
    session.updateState();
    return `${messages.roleIsNow(identity, wanted)}\n`;
  }

  /** By number, or by a part of the identity that only one has. */
  private find(text: string): SessionClientEnd {
    const { clients } = this.session;
    const byNumber = clients.find(({ info }) => String(info.id) === text);
    if (byNumber) return byNumber;
    const part = text.toLowerCase();
    const fitting = clients.filter(({ info }) => info.identity.toLowerCase().includes(part));
    const [only] = fitting;
    if (!only) throw new UserError(messages.noSuchClient(oneLine(text, 60)));
    if (fitting.length > 1)
      throw new UserError(
        messages.manyClients(
          oneLine(text, 60),
          fitting.map(({ info }) => info.id),
        ),
      );
    return only;
  }

  private quitLock(args: string): string {
    if (args !== '') {
      const match = /^[/-]([sq])\s+(\S.*)$/i.exec(args);
      const text = match?.[2]?.replace(/^"(.*)"$/, '$1');
      if (!match || text === undefined) throw new UserError(messages.quitLockSyntax);
      if (match[1]?.toLowerCase() === 's') {
        if (this.secure) throw new UserError(messages.secureMode('.quit_lock /s'));
        if (this.lock !== undefined) throw new UserError(messages.quitLockSet);
        this.lock = text;
      } else {
        if (this.lock !== undefined && this.lock !== text) throw new UserError(messages.quitLockWrong);
        this.lock = undefined;
      }
    }
    return `${messages.quitLock(this.lock)}\n`;
  }

  private secureMode(args: string): string {
    if (args !== '') {
      if (!/^(?:0x)?[0-9a-f]{1,16}$/i.test(args)) throw new UserError(messages.badNumber(oneLine(args, 60)));
      const wanted = BigInt(`0x${args.replace(/^0x/i, '')}`) !== 0n;
      if (wanted && !this.secure) throw new UserError(messages.secureLate);
      if (!wanted && this.secure) throw new UserError(messages.secureStays);
    }
    return `${messages.secureState(this.secure)}\n`;
  }
}
