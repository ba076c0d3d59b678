// Stands before the C library's allocator in the test program and counts, per thread.
#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED

long allocations(void) { return -1; }
long held_bytes(void) { return 0; }

#else

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static _Thread_local long count;
static _Thread_local long held;

long allocations(void) { return count; }
long held_bytes(void) { return held; }

static void *counted(void *memory) {
  count++;
  if (memory) held += (long)malloc_usable_size(memory);
  return memory;
}

void *malloc(size_t bytes) { return counted(__libc_malloc(bytes)); }

void *calloc(size_t n, size_t bytes) { return counted(__libc_calloc(n, bytes)); }

void *realloc(void *memory, size_t bytes) {
  long old = memory ? (long)malloc_usable_size(memory) : 0;
  void *moved = __libc_realloc(memory, bytes);
  if (moved || !bytes) held -= old;
  return counted(moved);
}

void *aligned_alloc(size_t alignment, size_t bytes) { return counted(__libc_memalign(alignment, bytes)); }

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  *memory = counted(__libc_memalign(alignment, bytes));
  return *memory ? 0 : ENOMEM;
}

void free(void *memory) {
  if (memory) held -= (long)malloc_usable_size(memory);
  __libc_free(memory);
}

#endif
