/**
 * One debugger command: its row in the command table and what it sees while it runs. Parser, help, completion,
 * documentation and the permission check read the same row.
 */
import type { Engine } from './engine';

export type OutputKind =
  | 'normal'
  | 'error'
  | 'warning'
  | 'verbose'
  /** The line that shows a command before its output. */
  | 'command'
  /** Text printed by the target. */
  | 'debuggee'
  | 'symbols'
  /** About the session itself: joins, servers, connection. */
  | 'notice';

/** What a user of a session may do: everything, or only look. */
export type Role = 'control' | 'observe';

/** Who typed the command. */
export interface Issuer {
  readonly id: number;
  /** `MACHINE\user (tcp 10.0.0.5:63141)` for a remote client, `MACHINE\user` at the server. */
  readonly identity: string;
  readonly remote: boolean;
  /** `control` when left out. */
  readonly role?: Role;
  /** A remote client that may use commands that touch the server's machine (`trust=full`). */
  readonly trusted?: boolean;
}

/** What `.server` and its kin do; implemented by the remote room, absent where no servers can be opened. */
export interface ServerControl {
  /**
   * Starts a server; resolves with the text to show. Throws a UserError when it cannot, or when the string asks for
   * more than `by` may give.
   */
  start(connectionString: string, by?: Issuer): Promise<string>;
  /** The text of `.servers`. */
  list(): string;
  /** The text of `.endsrv ID`. */
  end(id: number): Promise<string>;
}

/** What commands about the people in a session do; the session has it. Texts end lines with `\n`; errors are UserErrors. */
export interface SessionControl {
  /** `.role`: without arguments who may do what, else `CLIENT observe|control|kick`. */
  role(args: string): string;
  /** `.wall`: a line from the issuer to everybody. */
  wall(text: string): void;
  /** `.cancel`: ends the running command and drops the waiting ones of the issuer. */
  cancel(): void;
  /** `.wtitle`: the title of the issuer's window. */
  setTitle(text: string): void;
  /** `.quit_lock [/s TEXT | /q TEXT]`. */
  quitLock(args: string): string;
  /** Throws while quitting is locked. */
  requireUnlocked(): void;
  /** `.secure [N]`. */
  secure(args: string): string;
  /** `.noshell`: no `.shell` for anybody from now on. */
  forbidShell(): string;
  /** `.remote_exit`: runs the commands, then the issuer's program exits and the session goes on. */
  remoteExit(commands: string): Promise<void>;
}

/** Each member is what a command may need beyond the engine; nothing here is kept after the command ended. */
export interface CommandContext {
  readonly engine: Engine;
  readonly issuer: Issuer;
  /** Aborted by `.cancel`, Ctrl+C and the end of the session. */
  readonly signal: AbortSignal;
  readonly servers: ServerControl | undefined;
  /** Undefined where there is no session around the commands. */
  readonly session: SessionControl | undefined;
  /** The text of `.clients`. */
  clients(): string;
  /** Text ends lines with `\n`; it reaches every client in order. */
  write(text: string, kind?: OutputKind): void;
  /**
   * Resolves when the clients have taken most of what was written. Commands that may write megabytes wait for it
   * between pieces of some kilobytes, so that what waits stays small. Rejects when cancelled.
   */
  drained(): Promise<void>;
  /**
   * After a command resumed the target: lets other commands run meanwhile and resolves at the next stop, when this
   * command is again the only one running. Rejects when cancelled or the target is closed.
   */
  untilStopped(): Promise<void>;
  /** Clears the window where the command was typed (`.cls`). */
  clearScreen(): void;
  /** Ends the whole session for everybody (`q` at the server, `qq` anywhere). */
  endSession(): void;
}

export interface Command {
  /** Lower case except where case matters (`dD`); the parser takes the longest name that fits. */
  readonly name: string;
  readonly syntax: string;
  readonly summary: string;
  readonly tier: 1 | 2 | 3;
  readonly family: string;
  /** `run`: at once, whatever the target does. `wait`: kept in the queue until the target is stopped. */
  readonly whileRunning: 'run' | 'wait';
  /** Touches files or programs of the server's machine: refused to remote clients unless they are trusted. */
  readonly touchesHost?: boolean;
  /** Changes nothing: an observer may use it. */
  readonly observer?: boolean;
  /** The rest of the line belongs to it, semicolons included (`*`, `as`). */
  readonly takesWholeLine?: boolean;
  /** Alone on its line it runs when it arrives, past the queue, and its line is not shown. */
  readonly atOnce?: boolean;
  /** Bare Enter repeats it (`t`, `p`, `d`, `u`). */
  readonly repeat?: boolean;
  /** `args` is the text after the name. Errors for the user are thrown as UserError. */
  run(context: CommandContext, args: string): Promise<void>;
}
