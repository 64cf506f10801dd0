// The asynchronous boundary that shared packages need.
void import('./host.ts')
