/**
 * package.json against the code: what the editor offers for launch.json is what the adapter reads, each snippet
 * makes a configuration that passes our checks, and every command is registered.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Arguments } from '../../src/adapter/arguments';
import { readAttach, readLaunch } from '../../src/adapter/launchConfiguration';
import { problemOfConfiguration } from '../../src/extension/configurationCheck';
import { demoConfiguration } from '../../src/extension/defaultConfiguration';

interface Attribute {
  readonly type?: string | string[];
  readonly anyOf?: readonly { readonly type: string }[];
  readonly markdownDescription: string;
  readonly default: unknown;
  readonly examples?: readonly unknown[];
}
interface Debugger {
  readonly type: string;
  readonly configurationAttributes: Record<
    'launch' | 'attach',
    { readonly required: readonly string[]; readonly properties: Readonly<Record<string, Attribute>> }
  >;
  readonly initialConfigurations: readonly Record<string, unknown>[];
  readonly configurationSnippets: readonly { readonly label: string; readonly body: unknown }[];
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  contributes: { debuggers: [Debugger]; commands: { command: string }[] };
  activationEvents: string[];
};
const [contribution] = manifest.contributes.debuggers;
const readers = { launch: readLaunch, attach: readAttach };
/** The least that each kind needs. */
const least = { launch: { target: 'demo:' }, attach: { remote: 'tcp:Port=5005,Server=localhost' } };
const audit = process.platform === 'win32' ? 'C:\\kd.jsonl' : '/tmp/kd.jsonl';
const samples: Readonly<Record<string, unknown>> = {
  initialBreak: true,
  secure: true,
  noShell: true,
  commands: ['r'],
  audit,
};

function accepts(request: 'launch' | 'attach', name: string, value: unknown): boolean {
  try {
    readers[request](new Arguments('launch.json', { ...least[request], [name]: value }));
    return true;
  } catch {
    return false;
  }
}

/** The names a reader looks at, whether it wants or refuses them. */
function namesRead(request: 'launch' | 'attach'): string[] {
  const names = new Set<string>();
  const watched = new Proxy<Record<string, unknown>>(least[request], {
    getOwnPropertyDescriptor(target, name) {
      names.add(String(name));
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
  readers[request](new Arguments('launch.json', watched));
  return [...names];
}

describe.each(['launch', 'attach'] as const)('attributes of %s', (request) => {
  const { properties, required } = contribution.configurationAttributes[request];

  it('are those the adapter reads', () => {
    const read = namesRead(request).filter((name) =>
      accepts(request, name, samples[name] ?? 'tcp:port=5005'),
    );
    expect(Object.keys(properties).sort()).toEqual(read.sort());
    expect(required).toEqual(Object.keys(least[request]));
  });

  it.each(Object.entries(properties))(
    '%s has the type the adapter wants, and a hover text',
    (name, attribute) => {
      const types = [attribute.type ?? attribute.anyOf?.map((each) => each.type) ?? []].flat();
      const string = name === 'audit' ? audit : 'demo:';
      for (const [type, value] of Object.entries({ string, boolean: true, array: ['demo:'] })) {
        expect(accepts(request, name, value), type).toBe(types.includes(type));
      }
      expect(accepts(request, name, attribute.default)).toBe(true);
      expect(attribute.markdownDescription.length).toBeGreaterThan(40);
      for (const example of attribute.examples ?? []) {
        const value = String(example).startsWith('${workspaceFolder}') ? audit : example;
        expect(problemOfConfiguration({ request, ...least[request], [name]: value })).toBeUndefined();
      }
    },
  );

  it('show the defaults the adapter has', () => {
    const plain = readers[request](new Arguments('launch.json', least[request]));
    expect(properties['initialBreak']?.default).toBe(plain.initialBreak);
    expect(properties['commands']?.default).toEqual(plain.commands);
  });
});

describe('what the editor offers', () => {
  it.each(contribution.configurationSnippets.map((each) => [each.label, each.body] as const))(
    'snippet %s is a configuration that passes',
    (_label, body) => {
      const configuration = JSON.parse(expandSnippet(JSON.stringify(body))) as Record<string, unknown>;
      expect(configuration).toMatchObject({ type: 'kd', name: expect.any(String) as string });
      expect(problemOfConfiguration(configuration)).toBeUndefined();
    },
  );

  it('begins with the demo machine', () => {
    expect(contribution.initialConfigurations).toEqual([demoConfiguration()]);
  });

  it('activates for nothing but kernel sessions, commands and session links', () => {
    expect(manifest.activationEvents).toEqual([
      'onDebugResolve:kd',
      'onDebugDynamicConfigurations:kd',
      'onUri',
    ]);
  });

  it('has only commands that the extension registers', () => {
    const source = readFileSync('src/extension/extension.ts', 'utf8');
    const registered = [...source.matchAll(/command\('(kd\.\w+)'/g)].map((match) => match[1]);
    expect(manifest.contributes.commands.map((each) => each.command).sort()).toEqual(registered.sort());
  });
});

/** What the editor inserts: placeholders by their default text or first choice, escapes resolved. */
function expandSnippet(text: string): string {
  return text
    .replace(/\$\{\d+\|([^,|]*)[^|]*\|\}/g, '$1')
    .replace(/\$\{\d+:([^}]*)\}/g, '$1')
    .replace(/\\([\\$}])/g, '$1');
}
