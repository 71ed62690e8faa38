/** Whole kernel sessions through VS Code's debug API, on the demo machine. */
export function sessionSuite(): void {
  // Filled in once sessions exist.
}
