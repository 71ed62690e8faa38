/**
 * Passwords inside connection strings: finding, masking and filling them in. `Password=*` is how servers print a
 * password and how a launch configuration says "ask for it"; `@FILE` and `@env:NAME` only say where the session's
 * owner finds it and are no secret. Knows nothing of vscode.
 */

const option = /((?:^|[:,])\s*password\s*=\s*)([^,]*)/i;

/** The string with its password masked as `*`; unchanged when it has none. */
export function maskPassword(text: string): string {
  return text.replace(option, (all, key: string, value: string) => (isReference(value) ? all : `${key}*`));
}

/** The password written in the string; undefined when there is none. */
export function writtenPassword(text: string): string | undefined {
  const value = option.exec(text)?.[2]?.trim() ?? '';
  return value === '' || value === '*' || isReference(value) ? undefined : value;
}

/** True for `password=*`: somebody has to fill it in. */
export function wantsPassword(text: string): boolean {
  return option.exec(text)?.[2]?.trim() === '*';
}

/** True when the string names a password in any way. */
export function hasPassword(text: string): boolean {
  return option.test(text);
}

/** Replaces the mask (or an old password) by `password`. */
export function fillPassword(text: string, password: string): string {
  return text.replace(option, (_all, key: string) => key + password);
}

/** What is wrong with a typed password, or undefined. The rule is that of the connection strings. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'Enter the password of the debugging server.';
  if (!/^[A-Za-z0-9]+$/.test(password)) return 'A password has only letters and digits.';
  if (password.length > 12) return 'A password has at most 12 characters.';
  return undefined;
}

function isReference(value: string): boolean {
  return value.trimStart().startsWith('@');
}
