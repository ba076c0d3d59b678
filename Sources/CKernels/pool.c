// A thread pool for loops of a few microseconds.
//
// One 64-bit ticket says which loop is running and how many chunks are left; a thread owns a chunk when it has taken
// the ticket down by one. The fields of the loop are written before the ticket and read only by owners, whom the
// caller waits for, so a worker that wakes late can neither miss a loop's fields nor take part in a finished one.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // syscall, affinity
#endif
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "include/ckernels.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}
static void wake(_Atomic uint32_t *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}
#else
static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
  if (atomic_load(word) == value) sched_yield();
}
static void wake(_Atomic uint32_t *word, int count) { (void)word, (void)count; }
#endif

// In pauses of some 10 ns each. Waking a thread takes longer than many a loop: between the loops of a run workers stay
// awake, unless one is so long alone that sleeping costs nothing.
enum { SPIN_BRIEF = 2000, SPIN_IN_RUN = 200 * 1000 };

// After so many pauses a waiting thread offers its core now and then: a worker is often woken onto the caller's, and
// one that spun there would keep the caller from the very loop it waits for until the scheduler moves one of them.
enum { SPIN_ALONE = 256, SPIN_PER_OFFER = 64 };

struct ck_pool {
  _Alignas(64) _Atomic uint64_t ticket;  // loop number << 32 | chunks left to take
  _Alignas(64) _Atomic uint32_t pending;  // chunks not yet done; the caller sleeps on it
  _Atomic uint32_t caller_sleeps;
  _Alignas(64) _Atomic uint32_t loop;  // the loop number again; workers sleep on it
  _Atomic uint32_t sleepers;
  _Atomic uint32_t ending;
  _Atomic uint32_t runs;  // begun and not yet ended
  _Atomic int avoided;  // the core that workers keep off: the caller's when they were last woken, -1 for none
  _Alignas(64) size_t chunks;
  void (*body)(void *, size_t, int);
  void *context;
  pthread_mutex_t turn;
  int threads;
  pthread_t *workers;
#if defined(__linux__)
  cpu_set_t cores;  // where the creator may run
#endif
};

typedef struct {
  ck_pool *pool;
  int thread;
} start;

static inline void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// One pause of a wait, the `i`th.
static inline void spin(int i) {
  pause_cpu();
  if (i >= SPIN_ALONE && i % SPIN_PER_OFFER == 0) sched_yield();
}

/// Takes and runs chunks until none is left.
static void work(ck_pool *pool, int thread) {
  uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
  while ((uint32_t)ticket) {
    if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket - 1, memory_order_acquire,
                                               memory_order_acquire))
      continue;
    pool->body(pool->context, pool->chunks - (uint32_t)ticket, thread);
    if (atomic_fetch_sub(&pool->pending, 1) == 1 && atomic_load(&pool->caller_sleeps)) wake(&pool->pending, 1);
    ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
  }
}

static void *worker(void *argument) {
  ck_pool *pool = ((start *)argument)->pool;
  int thread = ((start *)argument)->thread;
  free(argument);
  uint32_t seen = 0;
  for (;;) {
    uint32_t now = atomic_load_explicit(&pool->loop, memory_order_acquire);
    for (int i = 0; now == seen && i < SPIN_IN_RUN; i++) {
      if (i >= SPIN_BRIEF && !atomic_load_explicit(&pool->runs, memory_order_relaxed)) break;
      spin(i);
      now = atomic_load_explicit(&pool->loop, memory_order_acquire);
    }
    if (now == seen) {
      atomic_fetch_add(&pool->sleepers, 1);
      while ((now = atomic_load(&pool->loop)) == seen) sleep_while(&pool->loop, seen);
      atomic_fetch_sub(&pool->sleepers, 1);
    }
    seen = now;
    if (atomic_load(&pool->ending)) return NULL;
    work(pool, thread);
  }
}

/// Keeps workers off the caller's core.
///
/// The scheduler may wake a thread on the core of the one that wakes it, and then they take turns for milliseconds.
static void keep_off_own_core(ck_pool *pool) {
#if defined(__linux__)
  int core = sched_getcpu();
  if (core < 0 || core >= CPU_SETSIZE || core == atomic_exchange(&pool->avoided, core)) return;
  cpu_set_t cores = pool->cores;
  if (CPU_COUNT(&cores) < 2) return;
  CPU_CLR(core, &cores);
  for (int i = 1; i < pool->threads; i++) pthread_setaffinity_np(pool->workers[i], sizeof cores, &cores);
#else
  (void)pool;
#endif
}

/// Tells the workers that there is something new.
static void announce(ck_pool *pool, size_t wanted) {
  uint32_t sleepers = atomic_load(&pool->sleepers);
  if (sleepers) keep_off_own_core(pool);
  atomic_fetch_add(&pool->loop, 1);
  sleepers = atomic_load(&pool->sleepers);
  if (sleepers) wake(&pool->loop, (int)(wanted < sleepers ? wanted : sleepers));
}

ck_pool *ck_pool_create(int threads) {
  ck_pool *pool = aligned_alloc(64, (sizeof(ck_pool) + 63) / 64 * 64);
  if (!pool) return NULL;
  *pool = (ck_pool){.threads = 1, .avoided = -1};
#if defined(__linux__)
  if (sched_getaffinity(0, sizeof pool->cores, &pool->cores)) CPU_ZERO(&pool->cores);
#endif
  pthread_mutex_init(&pool->turn, NULL);
  if (threads <= 1) return pool;
  pool->workers = calloc((size_t)threads, sizeof(pthread_t));
  for (; pool->workers && pool->threads < threads; pool->threads++) {
    start *s = malloc(sizeof *s);
    if (!s) break;
    *s = (start){pool, pool->threads};
    if (pthread_create(&pool->workers[pool->threads], NULL, worker, s)) {
      free(s);
      break;
    }
  }
  return pool;
}

void ck_pool_destroy(ck_pool *pool) {
  if (!pool) return;
  atomic_store(&pool->ending, 1);
  atomic_fetch_add(&pool->loop, 1);
  wake(&pool->loop, 0x7FFFFFFF);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  pthread_mutex_destroy(&pool->turn);
  free(pool->workers);
  free(pool);
}

void ck_pool_begin(ck_pool *pool) {
  atomic_fetch_add(&pool->runs, 1);
  if (atomic_load(&pool->sleepers)) announce(pool, (size_t)pool->threads);
}

void ck_pool_end(ck_pool *pool) { atomic_fetch_sub(&pool->runs, 1); }

int ck_pool_threads(const ck_pool *pool) { return pool->threads; }

/// The caller's wait for chunks that others are still running.
static void wait_until_done(ck_pool *pool) {
  for (int i = 0; i < SPIN_BRIEF; i++) {
    if (!atomic_load_explicit(&pool->pending, memory_order_acquire)) return;
    spin(i);
  }
  atomic_store(&pool->caller_sleeps, 1);
  uint32_t left;
  while ((left = atomic_load(&pool->pending))) sleep_while(&pool->pending, left);
  atomic_store(&pool->caller_sleeps, 0);
}

void ck_pool_run(ck_pool *pool, size_t chunks, void (*body)(void *context, size_t chunk, int thread), void *context) {
  pthread_mutex_lock(&pool->turn);
  if (pool->threads <= 1 || chunks <= 1 || chunks > UINT32_MAX) {
    for (size_t chunk = 0; chunk < chunks; chunk++) body(context, chunk, 0);
  } else {
    pool->chunks = chunks;
    pool->body = body;
    pool->context = context;
    atomic_store_explicit(&pool->pending, (uint32_t)chunks, memory_order_relaxed);
    uint64_t number = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
    atomic_store_explicit(&pool->ticket, number << 32 | chunks, memory_order_release);
    announce(pool, chunks - 1);
    work(pool, 0);
    wait_until_done(pool);
  }
  pthread_mutex_unlock(&pool->turn);
}
