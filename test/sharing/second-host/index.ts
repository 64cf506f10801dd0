void import('./second-host.ts')
