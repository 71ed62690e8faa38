/** The one table of requests: what it lists is answered, and the capabilities are those its rows bring. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Handler } from '../handler';
import { attach } from './attach';
import { cancel } from './cancel';
import { completions } from './completions';
import { configurationDone } from './configurationDone';
import { continueRequest } from './continue';
import { disassemble } from './disassemble';
import { disconnect } from './disconnect';
import { evaluate } from './evaluate';
import { exceptionInfo } from './exceptionInfo';
import { initialize } from './initialize';
import { kdEndServer } from './kdEndServer';
import { kdExecute } from './kdExecute';
import { kdServers } from './kdServers';
import { kdSetRole } from './kdSetRole';
import { kdStartServer } from './kdStartServer';
import { kdState } from './kdState';
import { launch } from './launch';
import { modules } from './modules';
import { next } from './next';
import { pause } from './pause';
import { readMemory } from './readMemory';
import { scopes } from './scopes';
import { setBreakpoints } from './setBreakpoints';
import { setExceptionBreakpoints } from './setExceptionBreakpoints';
import { setFunctionBreakpoints } from './setFunctionBreakpoints';
import { setInstructionBreakpoints } from './setInstructionBreakpoints';
import { setVariable } from './setVariable';
import { stackTrace } from './stackTrace';
import { stepIn } from './stepIn';
import { stepOut } from './stepOut';
import { terminate } from './terminate';
import { threads } from './threads';
import { variables } from './variables';
import { writeMemory } from './writeMemory';

export const requestTable: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['initialize', initialize],
  ['launch', launch],
  ['attach', attach],
  ['configurationDone', configurationDone],
  ['disconnect', disconnect],
  ['terminate', terminate],
  ['threads', threads],
  ['stackTrace', stackTrace],
  ['scopes', scopes],
  ['variables', variables],
  ['setVariable', setVariable],
  ['evaluate', evaluate],
  ['completions', completions],
  ['continue', continueRequest],
  ['next', next],
  ['stepIn', stepIn],
  ['stepOut', stepOut],
  ['pause', pause],
  ['readMemory', readMemory],
  ['writeMemory', writeMemory],
  ['disassemble', disassemble],
  ['setInstructionBreakpoints', setInstructionBreakpoints],
  ['setFunctionBreakpoints', setFunctionBreakpoints],
  ['setBreakpoints', setBreakpoints],
  ['setExceptionBreakpoints', setExceptionBreakpoints],
  ['modules', modules],
  ['exceptionInfo', exceptionInfo],
  ['cancel', cancel],
  ['kd/execute', kdExecute],
  ['kd/state', kdState],
  ['kd/servers', kdServers],
  ['kd/startServer', kdStartServer],
  ['kd/endServer', kdEndServer],
  ['kd/setRole', kdSetRole],
]);

export const capabilities: DebugProtocol.Capabilities = Object.assign(
  {},
  ...[...requestTable.values()].map((handler) => handler.capabilities),
);
