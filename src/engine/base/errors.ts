/** Errors come in two kinds: those told to the user in one line, and everything else, which is a bug. */

/** A message fit for the user: one line that names the offending part and what would be right. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}

/** The operation was ended on the user's request. */
export class CancelledError extends UserError {
  override readonly name = 'CancelledError';
  constructor(message = 'Cancelled.') {
    super(message);
  }
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
