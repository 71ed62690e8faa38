/** The log file of `-logo` and `-loga`: a copy of everything shown, without colours. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { errorText, UserError } from '../engine/base/errors';
import type { LogFile } from './optionTable';
import { withoutColor } from './render';

export interface Log {
  write(text: string): void;
  close(): void;
}

/**
 * Opens the log; throws UserError when it cannot be written. A later failure (disk full) is reported once to
 * `onError` and ends the log, not the session.
 */
export function openLog(file: LogFile, onError: (message: string) => void): Log {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file.path, file.append ? 'a' : 'w');
  } catch (error) {
    throw new UserError(`Cannot write the log file '${file.path}': ${errorText(error)}`);
  }
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  return {
    write(text) {
      if (descriptor === undefined) return;
      try {
        writeSync(descriptor, withoutColor(text));
      } catch (error) {
        close();
        onError(`The log file '${file.path}' was closed: ${errorText(error)}`);
      }
    },
    close,
  };
}
