// Shared packages are loaded asynchronously, so that the entry itself may import none of them.
void import('./bootstrap.tsx')
