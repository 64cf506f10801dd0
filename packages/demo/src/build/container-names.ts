/** What all remotes are signed as, and the host asks for. */
export const REMOTE_VERSION = '1.0.0'

/** The federation name under which remotes import from the host. */
export const HOST_NAME = 'host_app'

export interface RemoteDefinition {
  readonly name: 'dashboard' | 'orders' | 'reports'
  /** Federation name, and the global of the remotes whose entry is a script. */
  readonly container: string
  readonly bundler: string
  readonly framework: string
}

export const REMOTES: readonly RemoteDefinition[] = Object.freeze([
  {
    name: 'dashboard',
    container: 'remote_dashboard',
    bundler: 'webpack',
    framework: 'React · react-redux',
  },
  {
    name: 'orders',
    container: 'remote_orders',
    bundler: 'Vite',
    framework: 'React · Zustand',
  },
  {
    name: 'reports',
    container: 'remote_reports',
    bundler: 'Rspack',
    framework: 'TypeScript, no framework',
  },
])
