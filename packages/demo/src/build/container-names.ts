/** The federation name under which remotes import from the host. */
export const HOST_NAME = 'host_app'

export interface RemoteDefinition {
  readonly name: 'dashboard' | 'orders' | 'reports'
  /** Federation name, and the global of the remotes whose entry is a script. */
  readonly container: string
  readonly type: 'var' | 'module'
  readonly bundler: string
  readonly framework: string
}

export const REMOTES: readonly RemoteDefinition[] = Object.freeze([
  {
    name: 'dashboard',
    container: 'remote_dashboard',
    type: 'var',
    bundler: 'webpack',
    framework: 'React · react-redux',
  },
  {
    name: 'orders',
    container: 'remote_orders',
    type: 'module',
    bundler: 'Vite',
    framework: 'React · Zustand',
  },
  {
    name: 'reports',
    container: 'remote_reports',
    type: 'var',
    bundler: 'Rspack',
    framework: 'TypeScript, no framework',
  },
])
