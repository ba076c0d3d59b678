#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/training.h"
CK_NEON_END

void ck_neon_training(ck_table *table) { fill_training(table); }
#endif
