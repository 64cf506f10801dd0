import type { ModuleFederationPlugin as EnhancedRspack } from '@module-federation/enhanced/rspack'
import type { ModuleFederationPlugin as EnhancedWebpack } from '@module-federation/enhanced/webpack'
import type { ModuleFederationOptions } from '@module-federation/vite'
import type { container as rspackContainer } from '@rspack/core'
import { sharedSingletons, sharing } from '@token-bridge/federation/config'
import { expectTypeOf } from 'vitest'
import type { container as webpackContainer } from 'webpack'

type Options<T extends abstract new (...options: never) => unknown> = Omit<
  ConstructorParameters<T>[0],
  'name'
>

// The plugins of Module Federation; Rsbuild's takes what the one for Rspack takes.
expectTypeOf(sharing()).toExtend<Options<typeof EnhancedWebpack>>()
expectTypeOf(sharing()).toExtend<Options<typeof EnhancedRspack>>()
expectTypeOf(sharing()).toExtend<Omit<ModuleFederationOptions, 'name'>>()

// The one that webpack brings itself knows no strategy.
expectTypeOf({ shared: sharedSingletons() }).toExtend<
  Options<typeof webpackContainer.ModuleFederationPlugin>
>()
expectTypeOf(sharing()).toExtend<Options<typeof rspackContainer.ModuleFederationPlugin>>()

// @ts-expect-error a role that does not exist
sharing({ role: 'guest' })
// @ts-expect-error a list of names
sharedSingletons({ packages: 'react' })
