/** What is wrong with a PDB, in one line: the file, the record in it, and the problem. */
import { UserError } from '../../base/errors';

export class PdbError extends UserError {
  override readonly name = 'PdbError';

  constructor(
    readonly file: string,
    /** The part of the file, e.g. `stream 3 (DBI), module 12`. */
    readonly record: string,
    problem: string,
  ) {
    super(`${file}: ${record}: ${problem}`);
  }
}
