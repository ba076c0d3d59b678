#ifndef LATHE_ALLOCATIONS_H
#define LATHE_ALLOCATIONS_H

/// Blocks of memory the calling thread asked for since it began; −1 under a sanitizer, which counts its own.
long allocations(void);

/// Bytes the calling thread asked for and did not give back; what another thread gives back counts there. 0 under a
/// sanitizer.
long held_bytes(void);

#endif
