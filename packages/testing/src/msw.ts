export { authHandlers, type AuthHandlersOptions } from './auth-handlers.ts'
