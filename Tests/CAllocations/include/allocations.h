#ifndef LATHE_ALLOCATIONS_H
#define LATHE_ALLOCATIONS_H

/// Blocks of memory the calling thread asked for since it began; −1 under a sanitizer, which counts its own.
long allocations(void);

#endif
