export {
  createTokenBridge,
  SecureTokenBridge,
  type BridgeMetrics,
  type RotateOptions,
} from './bridge.ts'
export type { StoreAdapter } from './adapter.ts'
export type { CleanupReport, CleanupTask } from './cleanup.ts'
export type {
  BridgeConfig,
  BridgeLogger,
  RotationOptions,
  TelemetryOptions,
  TokenVerifier,
} from './config.ts'
export type { Environment } from './environment.ts'
export {
  AuthError,
  isAuthError,
  TokenRejectedError,
  type AuthErrorCode,
  type AuthErrorPhase,
} from './errors.ts'
export type { InteropObservable, PartialObserver, Unsubscribable } from './interop-observable.ts'
export type { FlagSource, FlagStream } from './flags/watch-flag.ts'
export type { ReaderOptions, ReadyOptions, TokenReader } from './reader.ts'
export {
  syncEndpoint,
  type SyncEndpointOptions,
  type TokenRequest,
  type TokenSource,
} from './source.ts'
export {
  initialSnapshot,
  reduce,
  type AlertRule,
  type AuthFault,
  type AuthSnapshot,
  type AuthStatus,
  type BridgeEvent,
  type BridgeMode,
  type CleanupStep,
  type ResetReason,
} from './state.ts'
export type { AccessToken } from './token.ts'
export type { TokenPayload } from './wire.ts'
