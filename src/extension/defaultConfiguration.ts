/** What launch configurations mean when something is left out. Knows nothing of vscode. */

/** The parts of a launch configuration that VS Code itself wants. */
export interface NamedConfiguration {
  name: string;
  type: string;
  request: string;
  [key: string]: unknown;
}

export function demoConfiguration(): NamedConfiguration {
  return { name: 'Demo Machine', type: 'kd', request: 'launch', target: 'demo:' };
}

/**
 * F5 without any configuration means the demo machine; otherwise only what VS Code itself needs is filled in.
 * Returns a new object. The attributes of the debugger keep their defaults in the adapter, the one place that knows
 * them.
 */
export function withDefaults(given: Readonly<Record<string, unknown>>): NamedConfiguration {
  const { request, target, remote, name } = given;
  if (request === undefined && target === undefined && remote === undefined) {
    return { ...given, ...demoConfiguration() };
  }
  const kind = request ?? (remote === undefined ? 'launch' : 'attach');
  return {
    ...given,
    type: 'kd',
    request: String(kind),
    name: String(name ?? (kind === 'attach' ? 'Remote Kernel Session' : 'Kernel Session')),
  };
}
