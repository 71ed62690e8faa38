/**
 * Where the debug adapter runs: the program that package.json names, in VS Code's own Node. For work on the adapter
 * itself VSKD_ADAPTER_PORT names a port on this machine where one is already listening.
 */
import * as vscode from 'vscode';

export function createAdapterFactory(): vscode.DebugAdapterDescriptorFactory {
  return {
    createDebugAdapterDescriptor(_session, executable) {
      const port = Number(process.env['VSKD_ADAPTER_PORT']);
      return Number.isInteger(port) && port > 0 && port < 65536
        ? new vscode.DebugAdapterServer(port)
        : executable;
    },
  };
}
