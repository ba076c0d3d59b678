// Which level runs: the processor is asked once, and LATHE_CPU may ask for less.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "internal.h"

/// The levels of this architecture, each on top of those before it.
static const struct {
  ck_level level;
  void (*use)(ck_table *);
} ladder[] = {
  {CK_SCALAR, ck_use_scalar},  // complete, so that nothing can be missing
#if defined(__x86_64__)
  {CK_AVX2, ck_use_avx2},
  {CK_AVX512VNNI, ck_use_avx512vnni},
#define LEVELS "scalar, avx2 or avx512vnni"
#elif defined(__aarch64__)
  {CK_NEON, ck_use_neon},
#define LEVELS "scalar or neon"
#else
#define LEVELS "scalar"
#endif
};
enum { RUNGS = sizeof ladder / sizeof ladder[0] };

const char *ck_level_name(ck_level level) {
  static const char *const names[CK_LEVELS] = {"scalar", "avx2", "avx512vnni", "neon"};
  return names[level];
}

int ck_supported(ck_level level) {
  if (level == CK_SCALAR) return 1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  if (level == CK_AVX2) return avx2;
  if (level == CK_AVX512VNNI)
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__) && defined(__linux__)
  if (level == CK_NEON) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
  return 0;
}

int ck_table_for(ck_level level, ck_table *table) {
  if (!ck_supported(level)) return 0;
  memset(table, 0, sizeof *table);
  for (int i = 0; i < RUNGS && ladder[i].level <= level; i++) ladder[i].use(table);
  table->level = level;
  return 1;
}

static ck_table chosen;
static char error[160];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void) {
  ck_level level = CK_SCALAR;
  for (int i = 0; i < RUNGS; i++)
    if (ck_supported(ladder[i].level)) level = ladder[i].level;
  const char *name = getenv("LATHE_CPU");
  if (name && *name) {
    int asked = -1;
    for (int i = 0; i < CK_LEVELS; i++)
      if (!strcmp(name, ck_level_name((ck_level)i))) asked = i;
    if (asked < 0)
      snprintf(error, sizeof error, "LATHE_CPU: unknown level \"%.32s\" (expected " LEVELS ")", name);
    else if (!ck_supported((ck_level)asked))
      snprintf(error, sizeof error, "LATHE_CPU: this processor cannot run %s (its best level is %s)", name,
               ck_level_name(level));
    else
      level = (ck_level)asked;
  }
  ck_table_for(level, &chosen);
}

const ck_table *ck_best(void) {
  pthread_once(&once, choose);
  return &chosen;
}

const char *ck_forced_level_error(void) {
  pthread_once(&once, choose);
  return error[0] ? error : NULL;
}
