/**
 * What the text fields for connection strings need of the engine's parsers: is it right, and if not, what is wrong
 * in one line. Knows nothing of vscode.
 */
import { errorText } from '../engine/base/errors';
import { cleanClientString, parseClientString, parseServerString } from '../engine/remote/sessionString';
import { parseKernelConnection } from '../engine/target/kernelConnection';

export { cleanClientString };

/** Of what follows `-k`. Forms that are understood but not supported yet are told by the adapter. */
export function problemOfTargetString(text: string): string | undefined {
  return problemOf(() => parseKernelConnection(text));
}

export function problemOfClientString(text: string): string | undefined {
  return problemOf(() => parseClientString(text));
}

export function problemOfServerString(text: string): string | undefined {
  return problemOf(() => parseServerString(text));
}

function problemOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
