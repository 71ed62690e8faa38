/**
 * Checks a launch configuration before the adapter starts, with the adapter's own reader and the engine's parsers of
 * connection strings. Knows nothing of vscode.
 */
import { Arguments } from '../adapter/arguments';
import { readAttach, readLaunch, type SessionConfiguration } from '../adapter/launchConfiguration';
import { errorText } from '../engine/base/errors';
import { problemOfClientString, problemOfServerString, problemOfTargetString } from './connectionText';

/** One line that begins with the attribute it is about, or undefined when all is well. */
export function problemOfConfiguration(configuration: Readonly<Record<string, unknown>>): string | undefined {
  const { request } = configuration;
  if (request !== 'launch' && request !== 'attach') {
    return `'request' must be "launch" (own the session) or "attach" (join one).`;
  }
  let read: SessionConfiguration;
  try {
    const args = new Arguments('launch.json', configuration);
    read = request === 'launch' ? readLaunch(args) : readAttach(args);
  } catch (error) {
    return errorText(error);
  }
  if (read.request === 'attach') return about('remote', problemOfClientString(read.remote));
  const problems = [
    about('target', problemOfTargetString(read.target)),
    ...read.servers.map((spec) => about('server', problemOfServerString(spec))),
  ];
  return problems.find((problem) => problem !== undefined);
}

function about(attribute: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `'${attribute}': ${problem}`;
}
