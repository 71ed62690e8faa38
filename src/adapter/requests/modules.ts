import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Body, Handler } from '../handler';
import { dapModule } from '../modules';

/** The loaded modules, also while the target runs: then as they were last known. */
export const modules: Handler<Body<DebugProtocol.ModulesResponse>> = {
  capabilities: { supportsModulesRequest: true },
  async run({ live }, args, { signal }) {
    const start = args.optionalInteger('startModule', { min: 0 }) ?? 0;
    const rows = await live.modules.all(signal);
    const count = args.optionalInteger('moduleCount', { min: 0 }) || rows.length;
    return { modules: rows.slice(start, start + count).map(dapModule), totalModules: rows.length };
  },
};
