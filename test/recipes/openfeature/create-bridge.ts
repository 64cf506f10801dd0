import { OpenFeature } from '@openfeature/web-sdk'
import {
  openFeatureFlag,
  SecureTokenBridge,
  type BridgeConfig,
  type TokenSource,
} from '@token-bridge/core'

/** In the page it is `createTokenBridge(…)`, which starts by itself. The provider is the app's: `OpenFeature.setProvider(…)`. */
export const createBridge = (legacy: TokenSource, config: BridgeConfig = {}): SecureTokenBridge =>
  new SecureTokenBridge({
    ...config,
    enabled: openFeatureFlag(OpenFeature.getClient(), 'ENABLE_SECURE_TOKEN_BRIDGE'),
    legacy,
  }).start()
