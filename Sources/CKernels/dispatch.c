// Which level runs: the processor is asked once, and LATHE_CPU may ask for less.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

const char *ck_level_name(ck_level level) {
  static const char *const names[] = {"scalar", "avx2", "avx512vnni"};
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
#endif
  return 0;
}

int ck_table_for(ck_level level, ck_table *table) {
  if (!ck_supported(level)) return 0;
  memset(table, 0, sizeof *table);
  ck_use_scalar(table);  // complete, so that nothing can be missing
#if defined(__x86_64__)
  if (level >= CK_AVX2) ck_use_avx2(table);
  if (level >= CK_AVX512VNNI) ck_use_avx512vnni(table);
#endif
  table->level = level;
  return 1;
}

static ck_table chosen;
static char error[160];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void) {
  ck_level level = CK_AVX512VNNI;
  while (!ck_supported(level)) level--;
  const char *name = getenv("LATHE_CPU");
  if (name && *name) {
    int asked = -1;
    for (int i = CK_SCALAR; i <= CK_AVX512VNNI; i++)
      if (!strcmp(name, ck_level_name((ck_level)i))) asked = i;
    if (asked < 0)
      snprintf(error, sizeof error, "LATHE_CPU: unknown level \"%.32s\" (expected scalar, avx2 or avx512vnni)", name);
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
