/** Checks the parameters of a request by its row in the table: what arrives may come from anybody. */
import { UserError } from '../base/errors';
import { requestTable, type RequestName } from './protocol';

const maxText = 64 * 1024;
const maxTexts = 1000;
const maxBase64 = 2 << 20;
const resumeKinds = ['go', 'goHandled', 'goNotHandled', 'stepInto', 'stepOver', 'stepOut'];

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= maxText;

const checks: Readonly<
  Record<string, { readonly is: (value: unknown) => boolean; readonly wanted: string }>
> = {
  text: { is: isText, wanted: `a string of at most ${maxText} characters` },
  address: {
    is: (value) => typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value),
    wanted: 'an address like 0xfffff80000001000',
  },
  base64: {
    is: (value) =>
      typeof value === 'string' && value.length <= maxBase64 && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
    wanted: 'bytes in base64',
  },
  count: {
    is: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0x7fff_ffff,
    wanted: 'a whole number from 0',
  },
  integer: {
    is: (value) => Number.isInteger(value) && Math.abs(Number(value)) <= 0x7fff_ffff,
    wanted: 'a whole number',
  },
  flag: { is: (value) => typeof value === 'boolean', wanted: 'true or false' },
  texts: {
    is: (value) => Array.isArray(value) && value.length <= maxTexts && value.every(isText),
    wanted: `a list of at most ${maxTexts} strings`,
  },
  resumeKind: {
    is: (value) => typeof value === 'string' && resumeKinds.includes(value),
    wanted: resumeKinds.join(', '),
  },
};

export function isRequestName(name: string): name is RequestName {
  return Object.hasOwn(requestTable, name);
}

/** Returns the parameters of the row and no others. Throws UserError naming the one that is wrong. */
export function checkParams(method: RequestName, params: unknown): Record<string, unknown> {
  const given = typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {};
  const result: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(requestTable[method].params as Record<string, string>)) {
    const optional = shape.endsWith('?');
    const check = checks[optional ? shape.slice(0, -1) : shape];
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined && optional) continue;
    if (!check?.is(value)) {
      throw new UserError(
        `Bad parameter '${name}' of request '${method}'; expected ${check?.wanted ?? shape}.`,
      );
    }
    result[name] = value;
  }
  return result;
}
