/** How errors of files are told. */

/** Why a file failed: the code of the system (errno(3)), which says enough, or else the message of the runtime. */
export function fileTrouble(cause: unknown): string {
  const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: string }
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : (message ?? String(cause))
}
