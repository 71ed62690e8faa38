/** What a row of the command table may say beyond the public Command: how its name meets its arguments. */
import type { Command, CommandContext } from './command';

export interface CommandRow extends Command {
  /** Letters that may follow the name directly and belong to the arguments (`kb`, `lmvm`). */
  readonly suffix?: RegExp;
  /** Anything may follow the name directly (`?1+2`, `*comment`). */
  readonly open?: boolean;
  /** Upper and lower case of the name differ in meaning (`dd`, `dD`). */
  readonly caseSensitive?: boolean;
  /** For another processor than the current one (`1r`, `0k`). */
  runOn?(context: CommandContext, args: string, processor: number): Promise<void>;
}
