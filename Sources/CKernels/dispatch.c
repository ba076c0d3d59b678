#include "ckernels.h"

const char *ck_level_name(ck_level level) {
  static const char *const names[] = {"scalar", "avx2", "avx512vnni"};
  return names[level];
}
