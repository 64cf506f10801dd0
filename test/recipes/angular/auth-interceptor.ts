import { HttpErrorResponse, type HttpInterceptorFn } from '@angular/common/http'
import { isAuthError, type AccessToken, type TokenReader } from '@token-bridge/core'
import {
  catchError,
  defer,
  filter,
  first,
  from,
  ignoreElements,
  merge,
  skip,
  switchMap,
  takeUntil,
  throwError,
  timeout,
  type Observable,
} from 'rxjs'

/**
 * For `provideHttpClient(withInterceptors([authInterceptor(auth, 'https://api.example')]))`.
 *
 * @param api - the origin that the token is for. Requests to others go out as they are.
 */
export const authInterceptor =
  (auth: TokenReader, api: string): HttpInterceptorFn =>
  (request, next) => {
    if (new URL(request.url, document.baseURI).origin !== api) return next(request)

    const send = (token: AccessToken) => {
      auth.report({ generation: token.generation })
      return next(request.clone({ setHeaders: { Authorization: `Bearer ${token.accessToken}` } }))
    }
    return firstToken(auth).pipe(
      // Caught before anything is sent: from here on an error is the API's.
      catchError((error: unknown) => {
        if (!isAuthError(error, 'ERR_COOKIE_ONLY')) throw error
        return [null]
      }),
      switchMap((token) => {
        if (token === null) return next(request.clone({ withCredentials: true }))
        return send(token).pipe(
          catchError((error: unknown) => {
            if (!(error instanceof HttpErrorResponse) || error.status !== 401) throw error
            auth.report({ generation: token.generation, status: 401 })
            return tokenAfter(auth, token, error).pipe(switchMap(send))
          }),
        )
      }),
      takeUntil(endOfSession(auth)),
    )
  }

/** Fails when the session ends or the host cuts this remote off. What was asked in one session is not answered in the next. */
const endOfSession = (auth: TokenReader): Observable<never> =>
  from(auth.snapshot$).pipe(
    // What is so already, `firstToken` says.
    skip(1),
    filter(({ status, error }) => status === 'signed-out' || error?.code === 'ERR_READER_REVOKED'),
    // It knows why, and says so.
    switchMap(() => auth.ready()),
    ignoreElements(),
  )

/** The observable brings the token. `ready()` wakes a bridge whose timers are late, and knows why there is none. */
const firstToken = (auth: TokenReader): Observable<AccessToken | null> =>
  merge(from(auth.getToken()), defer(() => auth.ready()).pipe(ignoreElements())).pipe(first())

/** The token that replaces a refused one; the API's error when the session is over or ten seconds bring none. */
const tokenAfter = (
  auth: TokenReader,
  refused: AccessToken,
  error: HttpErrorResponse,
): Observable<AccessToken> =>
  merge(
    from(auth.getToken()).pipe(filter(({ generation }) => generation > refused.generation)),
    from(auth.snapshot$).pipe(
      filter(({ status }) => status !== 'ready'),
      switchMap(() => throwError(() => error)),
    ),
  ).pipe(first(), timeout({ first: 10_000, with: () => throwError(() => error) }))
